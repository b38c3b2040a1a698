"""From a question to an answer.

answers       one message: talk, several questions, what leans on the conversation, the answer
conversation, talk, phrases    how a message hangs on what was said; what is no question; the words of our own
question, terms, intents       what is asked for: terms with weights, what may stand for each, the kind of answer
text, stems, families, synonyms, typos    words: cut, of one stem, of one meaning, misspelt
search        the candidates of the index, the best hit
units, scoring    a passage cut into pieces; how well a piece answers, and the chance that it does
wording       a hit as a quotation with its source
"""
