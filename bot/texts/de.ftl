# Was der Bot selbst sagt, auf Deutsch; siehe en.ftl. Er sagt du.

## Notices

working = Ich arbeite noch an deiner Frage.
still-working = Das dauert länger als sonst. Ich bleibe dran und antworte hier.
why = Danke für den Hinweis. Was stimmte an dieser Antwort nicht? Antworte auf diese Nachricht, dann können meine Betreiber es verbessern.
new = Ein neues Gespräch beginnt. Was wir besprochen haben, habe ich vergessen.
nothing-to-stop = Von dir ist hier nichts offen, also gibt es nichts abzubrechen.
too-late-to-stop = Zum Abbrechen ist es zu spät: Deine Antwort ist schon unterwegs.
empty = Ich brauche eine Frage in Worten. Schreib sie auf, dann antworte ich.
file-needs-words = Ich kann den Text von Dateien lesen, brauche aber eine Frage in Worten dazu.
only-attachment = Dateien kann ich nicht lesen. Schreib deine Frage in Worten, dann antworte ich.
context-hidden = Worauf du dich beziehst, bekomme ich nicht zu sehen. Kopiere mir den Wortlaut, dann antworte ich.
rest-hidden = Das sieht nach dem ersten Stück einer längeren Nachricht aus, und in dieser Gruppe bekomme ich den Rest nicht zu sehen. Schick sie mir direkt oder kürze sie.
refused = Hier darf ich nicht antworten. Bitte meine Betreiber um Zugang.
pending = Ich bin hier installiert, aber noch nicht freigegeben. Meine Betreiber müssen erst zustimmen.
invited = Du hast jetzt Zugang. Stell mir eine Frage in deinen eigenen Worten.
invitation-wrong = Diese Einladung gilt nicht oder nicht mehr. Bitte die Person, von der du sie hast, um eine neue.
greeting = Hallo! Ich bin ein Assistent und beantworte hier Fragen: Erwähne mich.
greeting-command = Hallo! Ich bin ein Assistent und beantworte hier Fragen: Erwähne mich, oder schreib `{ $command }` und deine Frage.
failure = Auf deine Frage konnte ich keine Antwort bekommen. Frag bitte später noch einmal, oder nenne meinen Betreibern dieses Kennzeichen: `{ $reference }`.
cut-short = Der Rest dieser Antwort ließ sich nicht senden. Frag bitte noch einmal, oder nenne meinen Betreibern dieses Kennzeichen: `{ $reference }`.
unsure = Ich weiß nicht, ob meine ganze Antwort bei dir angekommen ist. Wenn nicht, frag bitte noch einmal, oder nenne meinen Betreibern dieses Kennzeichen: `{ $reference }`.
stopped =
    { $count ->
        [one] Abgebrochen. Deine Frage bekommt keine Antwort.
       *[other] Ich habe { $count } Fragen von dir abgebrochen.
    }
unknown-command = Diesen Befehl kenne ich nicht. Es gibt { $commands }.
too-long =
    { $limit ->
        [one] Deine Frage ist mir zu lang. Bitte schreib höchstens ein Zeichen.
       *[other] Deine Frage ist mir zu lang. Bitte bleib unter { $limit } Zeichen.
    }
too-many =
    { $seconds ->
        [one] Das ist mehr, als ich auf einmal schaffe. Frag bitte in einer Sekunde noch einmal.
       *[other] Das ist mehr, als ich auf einmal schaffe. Frag bitte in { $seconds } Sekunden noch einmal.
    }
queue-full = Es warten schon zu viele Fragen von dir. Bitte warte die Antworten ab, etwa eine Minute, und frag dann noch einmal.
about-this = Was ist dazu zu sagen?

## Help

help =
    { $places ->
        [true] Ich beantworte Fragen. Schreib mir direkt, oder erwähne mich dort, wo andere reden; in einem Thread, in dem du mich schon gefragt hast, schreib einfach weiter.
       *[false] Ich beantworte Fragen. Schreib mir in deinen eigenen Worten.
    }

    - `{ $prefix }new` beginnt ein neues Gespräch: Ich vergesse, was wir besprochen haben.
    - `{ $prefix }ask` und deine Frage: So fragst du mich.
    - `{ $prefix }stop` bricht ab, was du hier gefragt hast und worauf ich noch nicht geantwortet habe.
    - `{ $prefix }help` zeigt das hier.
help-rated =
    { help }

    Reagiere mit 👍 oder 👎 auf eine Antwort, oder nutze die Knöpfe darunter: So erfahren meine Betreiber, wie gut sie war.

## Sentences below an answer

second-copy = Das kann doppelt sein: Beim Senden ist die Verbindung abgebrochen.
context-refused = Deine Frage wurde ohne das gestellt, worauf du dich beziehst: Zusammen wäre sie zu lang gewesen.
thread-unread = Die früheren Nachrichten dieses Threads konnte ich nicht lesen.
context-unread = Ich bekomme nicht alles zu sehen, worauf du dich beziehst; was ich nicht sehe, konnte ich nicht lesen.
context-cut = Worauf du dich beziehst, ist lang; ich habe nur einen Teil davon gelesen.
files-unread = Nicht gelesen habe ich { $files }, nur deine Worte.
files-others = weitere
file-picture = ein Bild
file-sound = eine Tonaufnahme
file-film = ein Video
file-nameless = eine Datei

## Labels

good-answer = Gute Antwort
bad-answer = Schlechte Antwort
asked-by = { $name } hat mit { $command } gefragt
asked = Gefragt mit { $command }
no-text = (Diese Nachricht hat keinen Text.)
form-title = Was war nicht gut?
form-send = Senden
form-skip = Überspringen
form-why = Warum war diese Antwort nicht gut?
home-ask = So fragst du
home-suggestions = Du könntest fragen
home-recent = Deine letzten Fragen
home-none = Noch keine.
home-open = Öffnen
home-no-words = (kein Text)
home-when = { $outcome } · { DATETIME($at, dateStyle: "medium", timeStyle: "short") } UTC
outcome-open = offen
outcome-answered = beantwortet
outcome-failed = fehlgeschlagen
outcome-refused = abgelehnt
outcome-cancelled = abgebrochen
outcome-limited = begrenzt

## A person's page

home-help =
    Frag mich in einer Direktnachricht, erwähne mich in einem Channel, oder nutze `/ask`. In einem Thread weiß ich, was vorher gesagt wurde.

    Reagiere mit 👍 oder 👎, oder nutze die Knöpfe, um zu sagen, ob eine Antwort geholfen hat.

    `!new` beginnt ein neues Gespräch, `!help` sagt mehr.
home-below = Stell unten eine Frage.
home-short = Frag mich, was du willst: Schreib einfach. /new beginnt ein neues Gespräch, /help sagt mehr.

## The bot's profile

profile-about = Stell mir eine Frage in deinen eigenen Worten. In einer Gruppe erwähne mich, antworte mir oder nutze /ask. Bewerte eine Antwort mit 👍 oder 👎: Das macht die nächsten besser.
profile-short = Beantwortet Fragen, privat und in Gruppen.
command-start = Anfangen
command-help = Was ich kann
command-new = Ein neues Gespräch beginnen
command-stop = Deine offenen Fragen abbrechen
command-ask = Eine Frage stellen
