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


PHRASES: dict[str, Phrases] = {
    "en": Phrases(
        "I don't know. The documents I have do not answer this question.",
        "Source: {title}",
        "page {page}",
        "Hello! Ask me anything about these documents: {titles}.",
        "I answer from these documents: {titles}.",
        "I have no documents yet, so I cannot answer anything.",
        "You are welcome.",
    ),
    "de": Phrases(
        "Das weiß ich nicht. Die Dokumente, die ich habe, beantworten diese Frage nicht.",
        "Quelle: {title}",
        "Seite {page}",
        "Hallo! Fragen Sie mich etwas zu diesen Dokumenten: {titles}.",
        "Ich antworte aus diesen Dokumenten: {titles}.",
        "Ich habe noch keine Dokumente und kann deshalb nichts beantworten.",
        "Gern geschehen.",
    ),
    "fr": Phrases(
        "Je ne sais pas. Les documents dont je dispose ne répondent pas à cette question.",
        "Source : {title}",
        "page {page}",
        "Bonjour ! Posez-moi une question sur ces documents : {titles}.",
        "Je réponds à partir de ces documents : {titles}.",
        "Je n'ai pas encore de documents et ne peux donc rien répondre.",
        "Je vous en prie.",
    ),
    "es": Phrases(
        "No lo sé. Los documentos que tengo no responden a esta pregunta.",
        "Fuente: {title}",
        "página {page}",
        "¡Hola! Pregúnteme sobre estos documentos: {titles}.",
        "Respondo a partir de estos documentos: {titles}.",
        "Todavía no tengo documentos, así que no puedo responder nada.",
        "De nada.",
    ),
    "it": Phrases(
        "Non lo so. I documenti che ho non rispondono a questa domanda.",
        "Fonte: {title}",
        "pagina {page}",
        "Ciao! Chiedetemi qualcosa su questi documenti: {titles}.",
        "Rispondo in base a questi documenti: {titles}.",
        "Non ho ancora documenti e quindi non posso rispondere.",
        "Prego.",
    ),
    "pt": Phrases(
        "Não sei. Os documentos que tenho não respondem a esta pergunta.",
        "Fonte: {title}",
        "página {page}",
        "Olá! Pergunte-me sobre estes documentos: {titles}.",
        "Respondo a partir destes documentos: {titles}.",
        "Ainda não tenho documentos e por isso não posso responder.",
        "De nada.",
    ),
    "nl": Phrases(
        "Dat weet ik niet. De documenten die ik heb beantwoorden deze vraag niet.",
        "Bron: {title}",
        "pagina {page}",
        "Hallo! Vraag me iets over deze documenten: {titles}.",
        "Ik antwoord uit deze documenten: {titles}.",
        "Ik heb nog geen documenten en kan dus niets beantwoorden.",
        "Graag gedaan.",
    ),
    "tr": Phrases(
        "Bilmiyorum. Elimdeki belgeler bu soruyu yanıtlamıyor.",
        "Kaynak: {title}",
        "sayfa {page}",
        "Merhaba! Bana şu belgeler hakkında soru sorabilirsiniz: {titles}.",
        "Şu belgelerden yanıt veriyorum: {titles}.",
        "Henüz belgem yok, bu yüzden yanıt veremiyorum.",
        "Rica ederim.",
    ),
}


def phrases(language: str) -> Phrases:
    """Those of a language, such as `de` or `de-AT`; English where there are none."""
    return PHRASES.get(language.lower().partition("-")[0], PHRASES["en"])
