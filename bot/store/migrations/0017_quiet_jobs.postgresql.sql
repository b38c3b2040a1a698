-- Of a change of the jobs the library's trigger tells every process. Who defers one says itself whom it concerns.
ALTER TABLE pgqueuer DISABLE TRIGGER tg_pgqueuer_changed
