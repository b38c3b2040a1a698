# Ce que le bot dit de lui-même, en français ; voir en.ftl. Il vouvoie. Devant « : », « ! » et « ? », une espace insécable.

## Notices

working = Je travaille encore sur votre question.
still-working = Cela prend plus de temps que d’habitude. Je continue et je répondrai ici.
why = Merci de me le dire. Qu’est-ce qui n’allait pas dans cette réponse ? Répondez à ce message, et les personnes qui me gèrent pourront y remédier.
new = Une nouvelle conversation commence. J’ai oublié ce dont nous avons parlé.
nothing-to-stop = Vous n’avez rien en cours ici, il n’y a donc rien à arrêter.
too-late-to-stop = Il est trop tard pour arrêter : votre réponse est en route.
empty = Il me faut une question écrite. Rédigez-la, et je répondrai.
file-needs-words = Je peux lire le texte des fichiers, mais il me faut aussi une question écrite.
only-attachment = Je ne peux pas lire les fichiers. Écrivez votre question, et j’y répondrai.
context-hidden = Je ne vois pas ce à quoi vous faites référence. Copiez-moi le texte, et je répondrai.
rest-hidden = Cela ressemble au début d’un message plus long, et dans ce groupe je ne vois pas la suite. Envoyez-le-moi en message direct, ou raccourcissez-le.
refused = Je ne peux pas répondre ici. Demandez l’accès aux personnes qui me gèrent.
pending = Je suis installé ici, mais pas encore autorisé. Les personnes qui me gèrent doivent d’abord donner leur accord.
invited = Vous avez désormais accès. Posez-moi une question avec vos propres mots.
invitation-wrong = Cette invitation n’est pas valable, ou ne l’est plus. Demandez-en une autre à la personne qui vous l’a donnée.
greeting = Bonjour ! Je suis un assistant et je réponds aux questions ici : mentionnez-moi.
greeting-command = Bonjour ! Je suis un assistant et je réponds aux questions ici : mentionnez-moi, ou écrivez `{ $command }` et votre question.
failure = Je n’ai pas pu obtenir de réponse à votre question. Veuillez reposer la question plus tard, ou donner cette référence aux personnes qui me gèrent : `{ $reference }`.
cut-short = Le reste de cette réponse n’a pas pu être envoyé. Veuillez reposer la question, ou donner cette référence aux personnes qui me gèrent : `{ $reference }`.
unsure = Je ne sais pas si toute ma réponse vous est parvenue. Si ce n’est pas le cas, veuillez reposer la question, ou donner cette référence aux personnes qui me gèrent : `{ $reference }`.
stopped =
    { $count ->
        [one] C’est arrêté. Votre question restera sans réponse.
       *[other] J’ai arrêté { $count } de vos questions.
    }
unknown-command = Je ne connais pas cette commande. Vous pouvez utiliser { $commands }.
too-long =
    { $limit ->
        [one] Votre question est trop longue pour moi. Veuillez vous limiter à un seul caractère.
       *[other] Votre question est trop longue pour moi. Veuillez rester en dessous de { $limit } caractères.
    }
too-many =
    { $seconds ->
        [one] C’est plus que je ne peux traiter à la fois. Veuillez reposer la question dans une seconde.
       *[other] C’est plus que je ne peux traiter à la fois. Veuillez reposer la question dans { $seconds } secondes.
    }
queue-full = Trop de vos questions sont déjà en attente. Veuillez attendre les réponses, une minute environ, puis reposer la question.
about-this = Que peut-on dire à ce sujet ?

## Help

help =
    { $places ->
        [true] Je réponds aux questions. Écrivez-moi en message direct, ou mentionnez-moi là où d’autres discutent ; dans un fil où vous m’avez déjà interrogé, continuez simplement.
       *[false] Je réponds aux questions. Écrivez-moi avec vos propres mots.
    }

    - `{ $prefix }new` commence une nouvelle conversation : j’oublie ce dont nous avons parlé.
    - `{ $prefix }ask` et votre question : c’est ainsi que vous m’interrogez.
    - `{ $prefix }stop` arrête ce que vous avez demandé ici et à quoi je n’ai pas encore répondu.
    - `{ $prefix }help` affiche ceci.
help-rated =
    { help }

    Réagissez à une réponse avec 👍 ou 👎, ou utilisez ses boutons : les personnes qui me gèrent sauront ainsi si elle était bonne.

## Sentences below an answer

second-copy = C’est peut-être un doublon : la connexion a été coupée pendant l’envoi.
context-refused = La question a été posée sans ce à quoi vous faisiez référence : avec cela, c’était trop long.
thread-unread = Je n’ai pas pu lire les messages précédents de ce fil.
context-unread = Je ne vois pas tout ce à quoi vous faites référence ; ce que je ne vois pas, je n’ai pas pu le lire.
context-cut = Ce à quoi vous faites référence est long ; je n’en ai lu qu’une partie.
files-unread = Je n’ai pas lu { $files }, seulement vos mots.
files-others = d’autres
file-picture = une image
file-sound = un enregistrement audio
file-film = une vidéo
file-nameless = un fichier

## Labels

good-answer = Bonne réponse
bad-answer = Mauvaise réponse
asked-by = { $name } a posé cette question avec { $command }
asked = Question posée avec { $command }
no-text = (Ce message ne contient pas de texte.)
form-title = Quel est le problème ?
form-send = Envoyer
form-skip = Passer
form-why = Pourquoi cette réponse n’était-elle pas bonne ?
home-ask = Comment poser une question
home-suggestions = Vous pourriez demander
home-recent = Vos questions récentes
home-none = Aucune pour l’instant.
home-open = Ouvrir
home-no-words = (sans texte)
home-when = { $outcome } · { DATETIME($at, dateStyle: "medium", timeStyle: "short") } UTC
outcome-open = en cours
outcome-answered = avec réponse
outcome-failed = échec
outcome-refused = refusée
outcome-cancelled = annulée
outcome-limited = limitée

## A person's page

home-help =
    Posez-moi une question en message direct, mentionnez-moi dans un canal, ou utilisez `/ask`. Dans un fil, je me souviens de ce qui a été dit avant.

    Réagissez avec 👍 ou 👎, ou utilisez les boutons, pour dire si une réponse vous a aidé.

    `!new` commence une nouvelle conversation, `!help` en dit plus.
home-below = Posez une question ci-dessous.
home-short = Demandez-moi ce que vous voulez : écrivez, tout simplement. /new commence une nouvelle conversation, /help en dit plus.

## The bot's profile

profile-about = Posez-moi une question avec vos propres mots. Dans un groupe, mentionnez-moi, répondez-moi ou utilisez /ask. Notez une réponse avec 👍 ou 👎 : les suivantes n’en seront que meilleures.
profile-short = Répond aux questions, en privé et dans les groupes.
command-start = Commencer
command-help = Ce que je sais faire
command-new = Commencer une nouvelle conversation
command-stop = Arrêter vos questions en cours
command-ask = Poser une question
