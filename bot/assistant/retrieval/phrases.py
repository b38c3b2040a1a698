"""The few sentences the assistant says of its own, by language."""

from __future__ import annotations

from typing import NamedTuple


class Phrases(NamedTuple):
    """`{…}` are filled in."""

    unknown: str
    source: str
    page: str
    hello: str
    topics: str
    empty: str
    welcome: str
    bye: str
    who: str
    person: str
    """To somebody who would rather speak to a person."""
    noted: str
    """To "ok" and the like."""
    ask_back: str
    """To what leans on a conversation that has not been held."""
    lacks: str
    """Stands for the answer to one question of several."""
    also: str
    """Leads to a second answer, where the first one leads by little."""


PHRASES: dict[str, Phrases] = {
    "en": Phrases(
        "I don't know. The documents I have do not answer this question.",
        "Source: {title}",
        "page {page}",
        "Hello! Ask me anything about these documents: {titles}.",
        "I answer from these documents: {titles}.",
        "I have no documents yet, so I cannot answer anything.",
        "You are welcome.",
        "Goodbye!",
        "I am a program that answers questions from documents, and says so when it does not know.",
        "I am a program and cannot put you through to a person.",
        "Good. Is there anything else?",
        "What do you mean? Please ask in a whole sentence.",
        "I don't know the answer to this: {question}",
        "This may be meant too:",
    ),
    "de": Phrases(
        "Das weiß ich nicht. Die Dokumente, die ich habe, beantworten diese Frage nicht.",
        "Quelle: {title}",
        "Seite {page}",
        "Hallo! Fragen Sie mich etwas zu diesen Dokumenten: {titles}.",
        "Ich antworte aus diesen Dokumenten: {titles}.",
        "Ich habe noch keine Dokumente und kann deshalb nichts beantworten.",
        "Gern geschehen.",
        "Auf Wiedersehen!",
        "Ich bin ein Programm, das Fragen aus Dokumenten beantwortet und sagt, wenn es etwas nicht weiß.",
        "Ich bin ein Programm und kann Sie mit keinem Menschen verbinden.",
        "Gut. Möchten Sie noch etwas wissen?",
        "Was meinen Sie damit? Bitte fragen Sie in einem ganzen Satz.",
        "Das weiß ich nicht: {question}",
        "Vielleicht ist auch dies gemeint:",
    ),
    "fr": Phrases(
        "Je ne sais pas. Les documents dont je dispose ne répondent pas à cette question.",
        "Source : {title}",
        "page {page}",
        "Bonjour ! Posez-moi une question sur ces documents : {titles}.",
        "Je réponds à partir de ces documents : {titles}.",
        "Je n'ai pas encore de documents et ne peux donc rien répondre.",
        "Je vous en prie.",
        "Au revoir !",
        "Je suis un programme qui répond à partir de documents, et qui le dit quand il ne sait pas.",
        "Je suis un programme et ne peux pas vous mettre en relation avec une personne.",
        "Bien. Souhaitez-vous savoir autre chose ?",
        "Que voulez-vous dire ? Posez votre question en une phrase complète.",
        "Je ne sais pas répondre à ceci : {question}",
        "Il s'agit peut-être aussi de ceci :",
    ),
    "es": Phrases(
        "No lo sé. Los documentos que tengo no responden a esta pregunta.",
        "Fuente: {title}",
        "página {page}",
        "¡Hola! Pregúnteme sobre estos documentos: {titles}.",
        "Respondo a partir de estos documentos: {titles}.",
        "Todavía no tengo documentos, así que no puedo responder nada.",
        "De nada.",
        "¡Hasta luego!",
        "Soy un programa que responde a partir de documentos y que dice cuándo no sabe algo.",
        "Soy un programa y no puedo ponerle en contacto con una persona.",
        "Bien. ¿Desea saber algo más?",
        "¿Qué quiere decir? Pregunte, por favor, con una frase completa.",
        "No sé la respuesta a esto: {question}",
        "Quizá se trate también de esto:",
    ),
    "it": Phrases(
        "Non lo so. I documenti che ho non rispondono a questa domanda.",
        "Fonte: {title}",
        "pagina {page}",
        "Ciao! Chiedetemi qualcosa su questi documenti: {titles}.",
        "Rispondo in base a questi documenti: {titles}.",
        "Non ho ancora documenti e quindi non posso rispondere.",
        "Prego.",
        "Arrivederci!",
        "Sono un programma che risponde in base a documenti e che dice quando non sa qualcosa.",
        "Sono un programma e non posso metterla in contatto con una persona.",
        "Bene. Desidera sapere altro?",
        "Che cosa intende? Chieda con una frase intera, per favore.",
        "Non so rispondere a questo: {question}",
        "Forse si tratta anche di questo:",
    ),
    "pt": Phrases(
        "Não sei. Os documentos que tenho não respondem a esta pergunta.",
        "Fonte: {title}",
        "página {page}",
        "Olá! Pergunte-me sobre estes documentos: {titles}.",
        "Respondo a partir destes documentos: {titles}.",
        "Ainda não tenho documentos e por isso não posso responder.",
        "De nada.",
        "Até logo!",
        "Sou um programa que responde a partir de documentos e que diz quando não sabe algo.",
        "Sou um programa e não posso colocá-lo em contacto com uma pessoa.",
        "Bem. Deseja saber mais alguma coisa?",
        "O que quer dizer? Pergunte com uma frase completa, por favor.",
        "Não sei responder a isto: {question}",
        "Talvez se trate também disto:",
    ),
    "nl": Phrases(
        "Dat weet ik niet. De documenten die ik heb beantwoorden deze vraag niet.",
        "Bron: {title}",
        "pagina {page}",
        "Hallo! Vraag me iets over deze documenten: {titles}.",
        "Ik antwoord uit deze documenten: {titles}.",
        "Ik heb nog geen documenten en kan dus niets beantwoorden.",
        "Graag gedaan.",
        "Tot ziens!",
        "Ik ben een programma dat vragen uit documenten beantwoordt en het zegt als het iets niet weet.",
        "Ik ben een programma en kan u niet met een mens verbinden.",
        "Goed. Wilt u nog iets weten?",
        "Wat bedoelt u? Vraag het in een hele zin, alstublieft.",
        "Dit weet ik niet: {question}",
        "Misschien wordt ook dit bedoeld:",
    ),
    "tr": Phrases(
        "Bilmiyorum. Elimdeki belgeler bu soruyu yanıtlamıyor.",
        "Kaynak: {title}",
        "sayfa {page}",
        "Merhaba! Bana şu belgeler hakkında soru sorabilirsiniz: {titles}.",
        "Şu belgelerden yanıt veriyorum: {titles}.",
        "Henüz belgem yok, bu yüzden yanıt veremiyorum.",
        "Rica ederim.",
        "Hoşça kalın!",
        "Belgelerden sorulara yanıt veren bir programım. Bir insan değilim ve bir şeyi bilmediğimde bunu söylerim.",
        "Ben bir programım ve sizi bir insana bağlayamam.",
        "Tamam. Başka bir sorunuz var mı?",
        "Ne demek istiyorsunuz? Lütfen tam bir cümleyle sorun.",
        "Bunun yanıtını bilmiyorum: {question}",
        "Şu da kastedilmiş olabilir:",
    ),
    "ja": Phrases(
        "わかりません。手元の文書には、この質問の答えがありません。",
        "出典: {title}",
        "{page} ページ",
        "こんにちは。次の文書についてお尋ねください: {titles}。",
        "次の文書からお答えします: {titles}。",
        "まだ文書がないので、お答えできません。",
        "どういたしまして。",
        "さようなら。",
        "文書をもとに質問に答えるプログラムです。人間ではありません。わからないことは、わからないと言います。",
        "私はプログラムなので、担当者におつなぎすることはできません。",
        "わかりました。ほかにご質問はありますか。",
        "どういう意味でしょうか。文の形でお尋ねください。",
        "次の質問の答えはわかりません: {question}",
        "こちらのことかもしれません:",
    ),
    "zh": Phrases(
        "我不知道。现有的文档没有回答这个问题。",
        "来源：{title}",
        "第 {page} 页",
        "您好！请就以下文档提问：{titles}。",
        "我根据以下文档回答：{titles}。",
        "我还没有文档，因此无法回答。",
        "不客气。",
        "再见！",
        "我是一个根据文档回答问题的程序，不是真人；不知道的，我会直说。",
        "我是一个程序，无法为您转接人工。",
        "好的。还有其他问题吗？",
        "您指的是什么？请用完整的句子提问。",
        "这个问题我不知道答案：{question}",
        "也可能是指这个:",
    ),
    "ko": Phrases(
        "모르겠습니다. 가지고 있는 문서에는 이 질문의 답이 없습니다.",
        "출처: {title}",
        "{page}쪽",
        "안녕하세요! 다음 문서에 대해 물어보세요: {titles}.",
        "다음 문서를 바탕으로 답합니다: {titles}.",
        "아직 문서가 없어서 답할 수 없습니다.",
        "천만에요.",
        "안녕히 가세요!",
        "문서를 바탕으로 질문에 답하는 프로그램입니다. 사람이 아니며, 모르는 것은 모른다고 말합니다.",
        "저는 프로그램이라 담당자를 연결해 드릴 수 없습니다.",
        "알겠습니다. 더 궁금한 것이 있나요?",
        "무슨 뜻인가요? 온전한 문장으로 물어봐 주세요.",
        "이 질문의 답은 모르겠습니다: {question}",
        "이것을 뜻할 수도 있습니다:",
    ),
}


def phrases(language: str) -> Phrases:
    """Those of a language, such as `de` or `de-AT`; English where there are none."""
    return PHRASES.get(language.lower().partition("-")[0], PHRASES["en"])
