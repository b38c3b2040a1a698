/* A disk that can lose its power: preloaded into a process, it writes down all that the process does to the files
 * under one folder, and kills the process at a chosen operation. What of it would have survived is decided afterwards
 * by disk.py, which reads the journal. Nothing is really synced: a sync is a wait and an entry.
 *
 *   POWER_FOLDER   what is watched        POWER_JOURNAL   where it is written down
 *   POWER_CONTROL  a file of one 64-bit number: operations left until the cut, negative for none; written from outside
 *   POWER_SYNC_US  how long a sync takes  POWER_HOLD_US   how long the process goes on without its disk before it dies
 *
 * An entry is a header of four 64-bit numbers (kind, handle, offset or flag, length of what follows) and bytes. It is
 * written before the operation is done, under one lock with it, so the journal is never behind the files; a sync's
 * entry comes after the wait and names the entry up to which it counts.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#define FDS 65536
#define REAL(result, name, ...)                                                                                        \
    static result (*real)(__VA_ARGS__);                                                                                \
    if (!real) real = (result(*)(__VA_ARGS__))dlsym(RTLD_NEXT, name)

static char folder[PATH_MAX];
static size_t folder_length;
static int journal = -1;
static volatile int64_t *left;
static useconds_t sync_us, hold_us;
static int64_t handles, entries;
static int64_t handle_of[FDS]; /* 0: not watched */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

__attribute__((constructor)) static void begin(void) {
    const char *root = getenv("POWER_FOLDER"), *log = getenv("POWER_JOURNAL"), *control = getenv("POWER_CONTROL");
    if (!root || !log || !control) return;
    strncpy(folder, root, sizeof folder - 1);
    folder_length = strlen(folder);
    sync_us = (useconds_t)atoi(getenv("POWER_SYNC_US") ?: "0");
    hold_us = (useconds_t)atoi(getenv("POWER_HOLD_US") ?: "0");
    int fd = (int)openat(AT_FDCWD, control, O_RDWR | O_CLOEXEC);
    left = mmap(NULL, sizeof *left, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    close(fd);
    journal = openat(AT_FDCWD, log, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
    if (journal < 0 || left == MAP_FAILED) abort();
    unsetenv("LD_PRELOAD"); /* children are other machines */
}

/* Count one operation down, under the lock; at the last one the disk is gone, and soon the process. */
static void count(void) {
    if (*left < 0 || (*left)-- > 0) return;
    usleep(hold_us);
    kill(getpid(), SIGKILL);
    for (;;) pause();
}

static void enter(char kind, int64_t handle, int64_t offset, const struct iovec *with, int n) {
    int64_t header[4] = {kind, handle, offset, 0};
    struct iovec all[1 + 8] = {{header, sizeof header}};
    if (n > 8) abort();
    for (int i = 0; i < n; i++) {
        all[i + 1] = with[i];
        header[3] += (int64_t)with[i].iov_len;
    }
    if (writev(journal, all, n + 1) != (ssize_t)(sizeof header + (size_t)header[3])) abort();
    entries++;
}

static void enter_path(char kind, int64_t handle, int64_t offset, const char *path) {
    struct iovec with = {(void *)path, strlen(path)};
    enter(kind, handle, offset, &with, 1);
}

/* Make the path absolute; 0 when it is not of the watched folder. */
static int watched(int at, const char *path, char *out) {
    char base[PATH_MAX] = "", link[64];
    if (journal < 0) return 0;
    if (path[0] != '/') {
        if (at == AT_FDCWD) {
            if (!getcwd(base, sizeof base)) return 0;
        } else {
            snprintf(link, sizeof link, "/proc/self/fd/%d", at);
            ssize_t n = readlink(link, base, sizeof base - 1);
            if (n < 0) return 0;
            base[n] = 0;
        }
        strncat(base, "/", sizeof base - strlen(base) - 1);
    }
    if (snprintf(out, PATH_MAX, "%s%s", base, path) >= PATH_MAX) return 0;
    size_t n = strlen(out);
    while (n > 1 && out[n - 1] == '/') out[--n] = 0;
    return strncmp(out, folder, folder_length) == 0 && (out[folder_length] == '/' || out[folder_length] == 0);
}

static int64_t handle(int fd) { return fd >= 0 && fd < FDS ? handle_of[fd] : 0; }

static int open_at(int at, const char *path, int flags, mode_t mode) {
    REAL(int, "openat", int, const char *, int, ...);
    char full[PATH_MAX];
    if (!watched(at, path, full)) {
        int fd = real(at, path, flags, mode);
        if (fd >= 0 && fd < FDS) handle_of[fd] = 0;
        return fd;
    }
    pthread_mutex_lock(&lock);
    struct stat found;
    int fresh = (flags & O_CREAT) && lstat(full, &found) != 0;
    if (fresh || (flags & O_TRUNC)) count();
    int fd = real(at, path, flags, mode);
    int error = errno;
    if (fd >= FDS) abort();
    if (fd >= 0) {
        handle_of[fd] = ++handles;
        enter_path('O', handles, fresh, full);
        if (flags & O_TRUNC) enter('T', handles, 0, NULL, 0);
    }
    pthread_mutex_unlock(&lock);
    errno = error;
    return fd;
}

#define MODE(flags)                                                                                                    \
    mode_t mode = 0;                                                                                                   \
    if ((flags) & (O_CREAT | O_TMPFILE)) {                                                                             \
        va_list more;                                                                                                  \
        va_start(more, flags);                                                                                         \
        mode = va_arg(more, mode_t);                                                                                   \
        va_end(more);                                                                                                  \
    }
int open(const char *path, int flags, ...) { MODE(flags) return open_at(AT_FDCWD, path, flags, mode); }
int open64(const char *path, int flags, ...) { MODE(flags) return open_at(AT_FDCWD, path, flags, mode); }
int openat(int at, const char *path, int flags, ...) { MODE(flags) return open_at(at, path, flags, mode); }
int openat64(int at, const char *path, int flags, ...) { MODE(flags) return open_at(at, path, flags, mode); }

int close(int fd) {
    REAL(int, "close", int);
    if (fd >= 0 && fd < FDS) handle_of[fd] = 0;
    return real(fd);
}

/* Writes */

static ssize_t write_at(int fd, const struct iovec *with, int n, off_t offset, int moves) {
    REAL(ssize_t, "pwritev", int, const struct iovec *, int, off_t);
    pthread_mutex_lock(&lock);
    count();
    if (moves) offset = lseek(fd, 0, (fcntl(fd, F_GETFL) & O_APPEND) ? SEEK_END : SEEK_CUR);
    enter('W', handle(fd), offset, with, n);
    ssize_t done = real(fd, with, n, offset);
    int error = errno;
    size_t wanted = 0;
    for (int i = 0; i < n; i++) wanted += with[i].iov_len;
    if (done != (ssize_t)wanted) abort(); /* the journal would be wrong */
    if (moves) lseek(fd, offset + done, SEEK_SET);
    pthread_mutex_unlock(&lock);
    errno = error;
    return done;
}

ssize_t write(int fd, const void *data, size_t length) {
    REAL(ssize_t, "write", int, const void *, size_t);
    if (!handle(fd)) return real(fd, data, length);
    struct iovec one = {(void *)data, length};
    return write_at(fd, &one, 1, 0, 1);
}

ssize_t writev(int fd, const struct iovec *with, int n) {
    REAL(ssize_t, "writev", int, const struct iovec *, int);
    return handle(fd) ? write_at(fd, with, n, 0, 1) : real(fd, with, n);
}

ssize_t pwrite64(int fd, const void *data, size_t length, off_t offset) {
    REAL(ssize_t, "pwrite64", int, const void *, size_t, off_t);
    if (!handle(fd)) return real(fd, data, length, offset);
    struct iovec one = {(void *)data, length};
    return write_at(fd, &one, 1, offset, 0);
}
ssize_t pwrite(int fd, const void *data, size_t length, off_t offset) { return pwrite64(fd, data, length, offset); }

ssize_t pwritev(int fd, const struct iovec *with, int n, off_t offset) {
    REAL(ssize_t, "pwritev", int, const struct iovec *, int, off_t);
    return handle(fd) ? write_at(fd, with, n, offset, 0) : real(fd, with, n, offset);
}
ssize_t pwritev64(int fd, const struct iovec *with, int n, off_t offset) { return pwritev(fd, with, n, offset); }

int ftruncate64(int fd, off_t length) {
    REAL(int, "ftruncate64", int, off_t);
    if (!handle(fd)) return real(fd, length);
    pthread_mutex_lock(&lock);
    count();
    enter('T', handle(fd), length, NULL, 0);
    int done = real(fd, length);
    pthread_mutex_unlock(&lock);
    return done;
}
int ftruncate(int fd, off_t length) { return ftruncate64(fd, length); }

/* A mapping that can be written to is out of sight: disk.py allows it to the -shm file alone. */
void *mmap64(void *address, size_t length, int protection, int flags, int fd, off_t offset) {
    REAL(void *, "mmap64", void *, size_t, int, int, int, off_t);
    if (fd >= 0 && handle(fd) && (protection & PROT_WRITE) && (flags & MAP_SHARED)) {
        pthread_mutex_lock(&lock);
        enter('A', handle(fd), offset, NULL, 0);
        pthread_mutex_unlock(&lock);
    }
    return real(address, length, protection, flags, fd, offset);
}
void *mmap(void *address, size_t length, int protection, int flags, int fd, off_t offset) {
    return mmap64(address, length, protection, flags, fd, offset);
}

/* Syncs */

static int sync_one(int fd) {
    pthread_mutex_lock(&lock);
    count();
    int64_t upto = entries, which = handle(fd);
    pthread_mutex_unlock(&lock);
    usleep(sync_us);
    pthread_mutex_lock(&lock);
    count();
    enter('S', which, upto, NULL, 0);
    pthread_mutex_unlock(&lock);
    return 0;
}

int fsync(int fd) {
    REAL(int, "fsync", int);
    return handle(fd) ? sync_one(fd) : real(fd);
}

int fdatasync(int fd) {
    REAL(int, "fdatasync", int);
    return handle(fd) ? sync_one(fd) : real(fd);
}

/* Names */

static int name_at(char kind, int at, const char *path, int argument) {
    REAL(int, "unlinkat", int, const char *, int);
    static int (*make)(int, const char *, mode_t);
    if (!make) make = (int (*)(int, const char *, mode_t))dlsym(RTLD_NEXT, "mkdirat");
    char full[PATH_MAX];
    int seen = watched(at, path, full);
    if (seen) {
        pthread_mutex_lock(&lock);
        count();
    }
    int done = kind == 'M' ? make(at, path, (mode_t)argument) : real(at, path, argument);
    int error = errno;
    if (seen) {
        if (done == 0) enter_path(kind, 0, 0, full);
        pthread_mutex_unlock(&lock);
    }
    errno = error;
    return done;
}

int unlink(const char *path) { return name_at('U', AT_FDCWD, path, 0); }
int unlinkat(int at, const char *path, int flags) { return name_at('U', at, path, flags); }
int rmdir(const char *path) { return name_at('U', AT_FDCWD, path, AT_REMOVEDIR); }
int mkdir(const char *path, mode_t mode) { return name_at('M', AT_FDCWD, path, (int)mode); }
int mkdirat(int at, const char *path, mode_t mode) { return name_at('M', at, path, (int)mode); }

int renameat(int from_at, const char *from, int to_at, const char *to) {
    REAL(int, "renameat", int, const char *, int, const char *);
    char full[PATH_MAX], target[PATH_MAX];
    int seen = watched(from_at, from, full) + watched(to_at, to, target);
    if (seen == 1) abort(); /* into or out of the watched folder: nobody could say what is there after a cut */
    if (!seen) return real(from_at, from, to_at, to);
    pthread_mutex_lock(&lock);
    count();
    int done = real(from_at, from, to_at, to);
    int error = errno;
    struct iovec with[2] = {{full, strlen(full) + 1}, {target, strlen(target)}};
    if (done == 0) enter('R', 0, 0, with, 2);
    pthread_mutex_unlock(&lock);
    errno = error;
    return done;
}
int rename(const char *from, const char *to) { return renameat(AT_FDCWD, from, AT_FDCWD, to); }
