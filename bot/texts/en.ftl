# What the bot says itself, in English. A file like this one for each language, named by its code; the syntax is
# Fluent's (https://projectfluent.org/fluent/guide/). Texts are Markdown, except where a comment says how long a label
# may be: those are plain. Values in braces are filled in; between backticks stands what people type as it is.

## Notices

working = I am still working on your question.
still-working = This takes longer than usual. I keep at it and answer here.
why = Thanks for telling. What was wrong with this answer? Reply to this message, and the people who run me can mend it.
new = A new conversation begins. I have forgotten what we spoke of.
nothing-to-stop = Nothing of yours is open here, so there is nothing to stop.
too-late-to-stop = It is too late to stop: your answer is on its way.
empty = I need a question in words. Write it out, and I answer.
file-needs-words = I can read the text of files, but need a question in words beside it.
only-attachment = I cannot read files. Write your question in words, and I answer.
context-hidden = I am not shown what you point at. Copy its words to me, and I answer.
rest-hidden = This looks like the first piece of a longer message, and in this group I am not shown the rest. Send it to me directly, or shorten it.
refused = I may not answer here. Ask the people who run me for access.
pending = I am installed here, but not yet admitted. The people who run me have to say yes first.
invited = You are admitted. Ask me a question in your own words.
invitation-wrong = This invitation is not valid, or no longer. Ask who gave it to you for another one.
greeting = Hello! I am an assistant and answer questions here: mention me.
greeting-command = Hello! I am an assistant and answer questions here: mention me, or write `{ $command }` and your question.
failure = I could not get an answer to your question. Please ask again later, or give the people who run me this reference: `{ $reference }`.
cut-short = The rest of this answer could not be sent. Please ask again, or give the people who run me this reference: `{ $reference }`.
unsure = I cannot tell whether my whole answer reached you. If it did not, please ask again, or give the people who run me this reference: `{ $reference }`.
stopped =
    { $count ->
        [one] I have stopped. Your question gets no answer.
       *[other] I have stopped { $count } questions of yours.
    }
unknown-command = I do not know that command. There are { $commands }.
too-long =
    { $limit ->
        [one] Your question is too long for me. Please keep it to a single character.
       *[other] Your question is too long for me. Please keep it under { $limit } characters.
    }
too-many =
    { $seconds ->
        [one] That is more than I can take at once. Please ask again in a second.
       *[other] That is more than I can take at once. Please ask again in { $seconds } seconds.
    }
queue-full = Too many of your questions are waiting already. Please wait for the answers, about a minute, then ask again.
about-this = What is to be said about this?

## Help: with places where others talk, and where answers can be rated, or without

help =
    { $places ->
        [true] I answer questions. Write to me directly, or mention me where others talk; in a thread where you have asked me, just go on.
       *[false] I answer questions. Write to me in your own words.
    }

    - `{ $prefix }new` begins a new conversation: I forget what we spoke of.
    - `{ $prefix }ask` and your question asks me.
    - `{ $prefix }stop` ends what you have asked here and I have not answered yet.
    - `{ $prefix }help` shows this.
help-rated =
    { help }

    React with 👍 or 👎 to an answer, or use its buttons: it tells the people who run me how good it was.

## Sentences below an answer; a second copy's has 120 characters at most

second-copy = This may be a second copy: the connection broke while I was sending it.
context-refused = I was asked without what you pointed at: with it, the question was too much to take.
thread-unread = I could not read the earlier messages of this thread.
context-unread = I am not shown all of what you point at; what I was not shown, I could not read.
context-cut = What you point at is long; I have read only a part of it.
files-unread = I did not read { $files }, only your words.
files-others = others
file-picture = a picture
file-sound = a sound
file-film = a film
file-nameless = a file

## Labels: plain text. A button has 75 characters at most, a form's title 24, its buttons 24, a header 150

good-answer = Good answer
bad-answer = Bad answer
asked-by = { $name } asked with { $command }
asked = Asked with { $command }
no-text = (This message has no text.)
form-title = What was wrong?
form-send = Send
form-skip = Skip
form-why = Why was this answer not good?
home-ask = How to ask
home-suggestions = You could ask
home-recent = Your recent questions
home-none = None yet.
home-open = Open
home-no-words = (no text)
home-when = { $outcome } · { DATETIME($at, dateStyle: "medium", timeStyle: "short") } UTC
outcome-open = open
outcome-answered = answered
outcome-failed = failed
outcome-refused = refused
outcome-cancelled = cancelled
outcome-limited = limited

## A person's page

home-help =
    Ask me in a direct message, mention me in a channel, or use `/ask`. In a thread I remember what was said before.

    React with 👍 or 👎, or use the buttons, to say whether an answer helped.

    `!new` begins a new conversation, `!help` says more.
home-below = Ask a question below.
home-short = Ask me anything: just write. /new begins a new conversation, /help says more.

## The bot's profile: plain text. The description has 512 characters at most, the short one 120, a command 256

profile-about = Ask me a question in your own words. In a group mention me, reply to me, or use /ask. Rate an answer with 👍 or 👎: it makes the next ones better.
profile-short = Answers questions, in private and in groups.
command-start = Begin
command-help = What I can do
command-new = Start a new conversation
command-stop = Stop your open questions
command-ask = Ask a question
