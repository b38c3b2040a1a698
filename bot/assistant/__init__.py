"""The embedded M2M service: the API's wire contract, answering from documents of your own.

    server      options, start and stop
    contract    the operations: one table makes the routes and the OpenAPI description
    routes/     what each operation does
    service     what the routes share: the parts below, and one call
    accounts    tenants, their keys, plans and pace
    documents, indexing, folder    documents: stored, made findable, kept like a folder
    chats, counts    sessions, requests and feedback; how much of each
    database    SQLite for all of it
    retrieval/  from a question to an answer
    suggestions     what may be asked of a folder
    faults, recorder, script    what tests and demos switch on

Of the rest of the bot it knows the readers of files and `bot.shared` alone, and it is reached over HTTP.
"""
