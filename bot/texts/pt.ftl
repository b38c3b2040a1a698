# O que o bot diz por si, em português; veja en.ftl. Trata por você; palavras que se entendem no Brasil e em Portugal.

## Notices

working = Ainda estou trabalhando na sua pergunta.
still-working = Está demorando mais do que o normal. Continuo tentando e respondo aqui.
why = Obrigado por avisar. O que havia de errado nesta resposta? Responda a esta mensagem, e quem me administra poderá corrigir.
new = Uma nova conversa começou. Esqueci o que falamos.
nothing-to-stop = Você não tem nada em aberto aqui, então não há nada a interromper.
too-late-to-stop = É tarde demais para interromper: a sua resposta está a caminho.
empty = Preciso de uma pergunta em palavras. Escreva-a, e eu respondo.
file-needs-words = Consigo ler o texto de arquivos, mas preciso também de uma pergunta em palavras.
only-attachment = Não consigo ler arquivos. Escreva a sua pergunta em palavras, e eu respondo.
context-hidden = Não vejo aquilo a que você se refere. Copie o texto para mim, e eu respondo.
rest-hidden = Isto parece o começo de uma mensagem mais longa, e neste grupo não vejo o resto. Envie-a para mim em mensagem direta, ou encurte-a.
refused = Não posso responder aqui. Peça acesso a quem me administra.
pending = Estou instalado aqui, mas ainda não autorizado. Quem me administra precisa aprovar primeiro.
invited = Agora você tem acesso. Faça uma pergunta com as suas próprias palavras.
invitation-wrong = Este convite não é válido, ou não é mais. Peça outro a quem o enviou.
greeting = Olá! Sou um assistente e respondo a perguntas aqui: mencione-me.
greeting-command = Olá! Sou um assistente e respondo a perguntas aqui: mencione-me, ou escreva `{ $command }` e a sua pergunta.
failure = Não consegui obter uma resposta à sua pergunta. Pergunte de novo mais tarde, ou informe esta referência a quem me administra: `{ $reference }`.
cut-short = Não foi possível enviar o resto desta resposta. Pergunte de novo, ou informe esta referência a quem me administra: `{ $reference }`.
unsure = Não sei se a minha resposta inteira chegou até você. Se não chegou, pergunte de novo, ou informe esta referência a quem me administra: `{ $reference }`.
stopped =
    { $count ->
        [one] Interrompido. A sua pergunta fica sem resposta.
       *[other] Interrompi { $count } perguntas suas.
    }
unknown-command = Não conheço esse comando. Você pode usar { $commands }.
too-long =
    { $limit ->
        [one] A sua pergunta é longa demais para mim. Escreva no máximo um caractere.
       *[other] A sua pergunta é longa demais para mim. Fique abaixo de { $limit } caracteres.
    }
too-many =
    { $seconds ->
        [one] É mais do que consigo atender de uma vez. Pergunte de novo daqui a um segundo.
       *[other] É mais do que consigo atender de uma vez. Pergunte de novo daqui a { $seconds } segundos.
    }
queue-full = Já há perguntas suas demais na fila. Aguarde as respostas, cerca de um minuto, e pergunte de novo.
about-this = O que há a dizer sobre isto?

## Help

help =
    { $places ->
        [true] Respondo a perguntas. Escreva para mim em mensagem direta, ou mencione-me onde outros conversam; em um tópico em que você já me perguntou, é só continuar.
       *[false] Respondo a perguntas. Escreva com as suas próprias palavras.
    }

    - `{ $prefix }new` começa uma nova conversa: esqueço o que falamos.
    - `{ $prefix }ask` e a sua pergunta: é assim que você me pergunta.
    - `{ $prefix }stop` interrompe o que você perguntou aqui e eu ainda não respondi.
    - `{ $prefix }help` mostra isto.
help-rated =
    { help }

    Reaja com 👍 ou 👎 a uma resposta, ou use os botões dela: assim quem me administra sabe se ela foi boa.

## Sentences below an answer

second-copy = Isto pode estar repetido: a conexão caiu enquanto eu enviava.
context-refused = A pergunta foi feita sem aquilo a que você se referia: com isso, ficava longa demais.
thread-unread = Não consegui ler as mensagens anteriores deste tópico.
context-unread = Não vejo tudo aquilo a que você se refere; o que não vejo, não pude ler.
context-cut = Aquilo a que você se refere é longo; li apenas uma parte.
files-unread = Não li { $files }, apenas as suas palavras.
files-others = outros
file-picture = uma imagem
file-sound = um áudio
file-film = um vídeo
file-nameless = um arquivo

## Labels

good-answer = Boa resposta
bad-answer = Resposta ruim
asked-by = { $name } perguntou com { $command }
asked = Perguntado com { $command }
no-text = (Esta mensagem não tem texto.)
form-title = O que estava errado?
form-send = Enviar
form-skip = Pular
form-why = Por que esta resposta não foi boa?
home-ask = Como perguntar
home-suggestions = Você poderia perguntar
home-recent = As suas perguntas recentes
home-none = Nenhuma ainda.
home-open = Abrir
home-no-words = (sem texto)
home-when = { $outcome } · { DATETIME($at, dateStyle: "medium", timeStyle: "short") } UTC
outcome-open = em aberto
outcome-answered = respondida
outcome-failed = falhou
outcome-refused = recusada
outcome-cancelled = cancelada
outcome-limited = limitada

## A person's page

home-help =
    Pergunte em mensagem direta, mencione-me em um canal, ou use `/ask`. Em um tópico, lembro o que foi dito antes.

    Reaja com 👍 ou 👎, ou use os botões, para dizer se uma resposta ajudou.

    `!new` começa uma nova conversa, `!help` mostra mais.
home-below = Faça uma pergunta abaixo.
home-short = Pergunte o que quiser: é só escrever. /new começa uma nova conversa, /help mostra mais.

## The bot's profile

profile-about = Faça uma pergunta com as suas próprias palavras. Em um grupo, mencione-me, responda a mim ou use /ask. Avalie uma resposta com 👍 ou 👎: isso melhora as próximas.
profile-short = Responde a perguntas, em particular e em grupos.
command-start = Começar
command-help = O que posso fazer
command-new = Começar uma nova conversa
command-stop = Interromper as suas perguntas em aberto
command-ask = Fazer uma pergunta
