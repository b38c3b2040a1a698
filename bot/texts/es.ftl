# Lo que dice el bot por sí mismo, en español; véase en.ftl. Tutea.

## Notices

working = Sigo trabajando en tu pregunta.
still-working = Está tardando más de lo normal. Sigo en ello y responderé aquí.
why = Gracias por decírmelo. ¿Qué tenía de malo esta respuesta? Responde a este mensaje y quienes me administran podrán corregirlo.
new = Empieza una conversación nueva. He olvidado lo que hablamos.
nothing-to-stop = Aquí no tienes nada pendiente, así que no hay nada que detener.
too-late-to-stop = Ya es tarde para detenerla: tu respuesta está en camino.
empty = Necesito una pregunta con palabras. Escríbela y te responderé.
file-needs-words = Puedo leer el texto de los archivos, pero necesito además una pregunta con palabras.
only-attachment = No puedo leer archivos. Escribe tu pregunta con palabras y te responderé.
context-hidden = No puedo ver aquello a lo que te refieres. Cópiame el texto y te responderé.
rest-hidden = Esto parece el comienzo de un mensaje más largo, y en este grupo no puedo ver el resto. Envíamelo por mensaje directo o acórtalo.
refused = No puedo responder aquí. Pide acceso a quienes me administran.
pending = Estoy instalado aquí, pero aún no autorizado. Quienes me administran tienen que dar su aprobación.
invited = Ya tienes acceso. Hazme una pregunta con tus propias palabras.
invitation-wrong = Esta invitación no es válida, o ya no lo es. Pide otra a quien te la dio.
greeting = ¡Hola! Soy un asistente y respondo preguntas aquí: mencióname.
greeting-command = ¡Hola! Soy un asistente y respondo preguntas aquí: mencióname, o escribe `{ $command }` y tu pregunta.
failure = No he podido obtener una respuesta a tu pregunta. Vuelve a preguntar más tarde, o da esta referencia a quienes me administran: `{ $reference }`.
cut-short = No se ha podido enviar el resto de esta respuesta. Vuelve a preguntar, o da esta referencia a quienes me administran: `{ $reference }`.
unsure = No sé si te ha llegado toda mi respuesta. Si no es así, vuelve a preguntar, o da esta referencia a quienes me administran: `{ $reference }`.
stopped =
    { $count ->
        [one] Me he detenido. Tu pregunta se queda sin respuesta.
       *[other] He detenido { $count } preguntas tuyas.
    }
unknown-command = No conozco ese comando. Puedes usar { $commands }.
too-long =
    { $limit ->
        [one] Tu pregunta es demasiado larga para mí. Escribe como máximo un carácter.
       *[other] Tu pregunta es demasiado larga para mí. No pases de { $limit } caracteres.
    }
too-many =
    { $seconds ->
        [one] Es más de lo que puedo atender a la vez. Vuelve a preguntar dentro de un segundo.
       *[other] Es más de lo que puedo atender a la vez. Vuelve a preguntar dentro de { $seconds } segundos.
    }
queue-full = Ya hay demasiadas preguntas tuyas en espera. Espera las respuestas, más o menos un minuto, y vuelve a preguntar.
about-this = ¿Qué se puede decir sobre esto?

## Help

help =
    { $places ->
        [true] Respondo preguntas. Escríbeme por mensaje directo o mencióname donde hablen otros; en un hilo en el que ya me has preguntado, sigue sin más.
       *[false] Respondo preguntas. Escríbeme con tus propias palabras.
    }

    - `{ $prefix }new` empieza una conversación nueva: olvido lo que hablamos.
    - `{ $prefix }ask` y tu pregunta: así me preguntas.
    - `{ $prefix }stop` detiene lo que has preguntado aquí y aún no he respondido.
    - `{ $prefix }help` muestra esto.
help-rated =
    { help }

    Reacciona con 👍 o 👎 a una respuesta, o usa sus botones: así quienes me administran saben si fue buena.

## Sentences below an answer

second-copy = Puede que esto esté repetido: la conexión se cortó mientras lo enviaba.
context-refused = La pregunta se hizo sin aquello a lo que te referías: con ello era demasiado larga.
thread-unread = No he podido leer los mensajes anteriores de este hilo.
context-unread = No puedo ver todo aquello a lo que te refieres; lo que no veo, no lo he podido leer.
context-cut = Aquello a lo que te refieres es largo; solo he leído una parte.
files-unread = No he leído { $files }, solo tus palabras.
files-others = otros
file-picture = una imagen
file-sound = un audio
file-film = un vídeo
file-nameless = un archivo

## Labels

good-answer = Buena respuesta
bad-answer = Mala respuesta
asked-by = { $name } preguntó con { $command }
asked = Preguntado con { $command }
no-text = (Este mensaje no tiene texto.)
form-title = ¿Qué estaba mal?
form-send = Enviar
form-skip = Omitir
form-why = ¿Por qué no fue buena esta respuesta?
home-ask = Cómo preguntar
home-suggestions = Podrías preguntar
home-recent = Tus preguntas recientes
home-none = Todavía ninguna.
home-open = Abrir
home-no-words = (sin texto)
home-when = { $outcome } · { DATETIME($at, dateStyle: "medium", timeStyle: "short") } UTC
outcome-open = pendiente
outcome-answered = respondida
outcome-failed = fallida
outcome-refused = rechazada
outcome-cancelled = cancelada
outcome-limited = limitada

## A person's page

home-help =
    Pregúntame por mensaje directo, mencióname en un canal o usa `/ask`. En un hilo recuerdo lo que se dijo antes.

    Reacciona con 👍 o 👎, o usa los botones, para decir si una respuesta te ayudó.

    `!new` empieza una conversación nueva, `!help` da más información.
home-below = Haz una pregunta abajo.
home-short = Pregúntame lo que quieras: solo tienes que escribir. /new empieza una conversación nueva, /help da más información.

## The bot's profile

profile-about = Hazme una pregunta con tus propias palabras. En un grupo mencióname, respóndeme o usa /ask. Valora una respuesta con 👍 o 👎: así las siguientes serán mejores.
profile-short = Responde preguntas, en privado y en grupos.
command-start = Empezar
command-help = Qué puedo hacer
command-new = Empezar una conversación nueva
command-stop = Detener tus preguntas pendientes
command-ask = Hacer una pregunta
