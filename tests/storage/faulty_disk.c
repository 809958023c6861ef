/* A disk that tells what is asked of it, and that can be full. Preloaded (LD_PRELOAD) into a process, it stands between
   that process and the C library for everything under one folder:

   FAULTY_DISK_ROOT   the folder, an absolute path without links
   FAULTY_DISK_LOG    a file outside of it; every successful change is appended there, in order, with its bytes

   and it exports `faulty_disk_allow(n)`: from now on files under the folder can grow by n bytes in all, then they get
   ENOSPC, as does every new name; -1 lifts the limit. Overwriting is free, and a file that is removed gives its room back.
   `faulty_disk_left()` says how much of it is left. `faulty_disk_fail_sync(n)`: the n-th sync from now fails with EIO,
   once; 0 for none.

   A record: op (1 byte), descriptor (int32), a number (int64), two lengths (uint32 each), a path, data. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#define DESCRIPTORS 65536
#define REAL(name) ((__typeof__(&name))real(#name))

static pthread_mutex_t lock = PTHREAD_RECURSIVE_MUTEX_INITIALIZER_NP;
static const char *root;
static size_t root_length;
static int log_descriptor = -1;
static unsigned char ours[DESCRIPTORS];
static long long room = -1;
static long long failing_sync = 0;

static void *real(const char *name) {
    void *found = dlsym(RTLD_NEXT, name);
    if (found == NULL) abort();
    return found;
}

__attribute__((constructor)) static void start(void) {
    root = getenv("FAULTY_DISK_ROOT");
    root_length = root == NULL ? 0 : strlen(root);
    const char *log = getenv("FAULTY_DISK_LOG");
    if (log != NULL) log_descriptor = REAL(open)(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
}

void faulty_disk_allow(long long bytes) {
    pthread_mutex_lock(&lock);
    room = bytes;
    pthread_mutex_unlock(&lock);
}

/* How much of the room is left. */
long long faulty_disk_left(void) { return room; }

void faulty_disk_fail_sync(long long number) {
    pthread_mutex_lock(&lock);
    failing_sync = number;
    pthread_mutex_unlock(&lock);
}

static void tell(char op, int descriptor, int64_t number, const char *path, const void *data, uint32_t length) {
    if (log_descriptor < 0) return;
    int saved = errno;
    struct __attribute__((packed)) { char op; int32_t descriptor; int64_t number; uint32_t path, data; } head = {
        op, descriptor, number, path == NULL ? 0 : (uint32_t)strlen(path), length};
    struct iovec parts[3] = {{&head, sizeof head}, {(void *)path, head.path}, {(void *)data, length}};
    size_t total = sizeof head + head.path + length;
    if (REAL(writev)(log_descriptor, parts, 3) != (ssize_t)total) abort();
    errno = saved;
}

/* The absolute path, in a buffer of PATH_MAX * 2. */
static const char *whole(int folder, const char *path, char *buffer) {
    if (path[0] == '/') return path;
    if (folder == AT_FDCWD) {
        if (getcwd(buffer, PATH_MAX) == NULL) return path;
    } else {
        char link[64];
        snprintf(link, sizeof link, "/proc/self/fd/%d", folder);
        ssize_t length = readlink(link, buffer, PATH_MAX);
        if (length < 0) return path;
        buffer[length] = 0;
    }
    strcat(buffer, "/");
    strcat(buffer, path);
    return buffer;
}

static int under(const char *path) {
    return root_length && strncmp(path, root, root_length) == 0 && (path[root_length] == '/' || !path[root_length]);
}

static int mine(int descriptor) { return descriptor >= 0 && descriptor < DESCRIPTORS && ours[descriptor]; }

/* Whether a new name is refused; called with the lock. */
static int no_names(void) {
    if (room != 0) return 0;
    errno = ENOSPC;
    return 1;
}

static int opened(int folder, const char *path, int flags, mode_t mode) {
    char buffer[PATH_MAX * 2];
    const char *full = whole(folder, path, buffer);
    if (!under(full)) return REAL(openat)(folder, path, flags, mode);
    pthread_mutex_lock(&lock);
    struct stat status;
    int there = stat(full, &status) == 0;
    int made = -1;
    if (there || !(flags & O_CREAT) || !no_names()) made = REAL(openat)(folder, path, flags, mode);
    if (made >= 0 && made < DESCRIPTORS) {
        ours[made] = 1;
        tell('O', made, (there ? 0 : 1) | ((flags & O_TRUNC) && there ? 2 : 0), full, NULL, 0);
    }
    pthread_mutex_unlock(&lock);
    return made;
}

#define OPEN_MODE \
    mode_t mode = 0; \
    if (flags & (O_CREAT | O_TMPFILE)) { va_list more; va_start(more, flags); mode = va_arg(more, mode_t); va_end(more); }

int open(const char *path, int flags, ...) { OPEN_MODE return opened(AT_FDCWD, path, flags, mode); }
int open64(const char *path, int flags, ...) { OPEN_MODE return opened(AT_FDCWD, path, flags, mode); }
int openat(int folder, const char *path, int flags, ...) { OPEN_MODE return opened(folder, path, flags, mode); }
int openat64(int folder, const char *path, int flags, ...) { OPEN_MODE return opened(folder, path, flags, mode); }
int creat(const char *path, mode_t mode) { return opened(AT_FDCWD, path, O_WRONLY | O_CREAT | O_TRUNC, mode); }
int creat64(const char *path, mode_t mode) { return creat(path, mode); }

int close(int descriptor) {
    if (!mine(descriptor)) return REAL(close)(descriptor);
    pthread_mutex_lock(&lock);
    ours[descriptor] = 0;
    tell('C', descriptor, 0, NULL, NULL, 0);
    int result = REAL(close)(descriptor);
    pthread_mutex_unlock(&lock);
    return result;
}

/* How much of a write fits on the disk, with the lock; less than 0 when nothing does. */
static ssize_t fits(int descriptor, size_t length, off_t offset) {
    if (room < 0 || length == 0) return (ssize_t)length;
    struct stat status;
    if (fstat(descriptor, &status) != 0) return -1;
    long long grows = (long long)offset + (long long)length - (long long)status.st_size;
    if (grows <= 0) return (ssize_t)length;
    if (grows <= room) {
        room -= grows;
        return (ssize_t)length;
    }
    ssize_t some = (ssize_t)((long long)length - (grows - room));
    room = 0;
    if (some > 0) return some;
    errno = ENOSPC;
    return -1;
}

static ssize_t written(int descriptor, const void *data, size_t length, off_t offset, int positioned) {
    pthread_mutex_lock(&lock);
    if (!positioned) {
        int flags = fcntl(descriptor, F_GETFL);
        offset = lseek(descriptor, 0, flags & O_APPEND ? SEEK_END : SEEK_CUR);
    }
    ssize_t some = fits(descriptor, length, offset);
    if (some >= 0) {
        some = positioned ? REAL(pwrite)(descriptor, data, (size_t)some, offset)
                          : REAL(write)(descriptor, data, (size_t)some);
        if (some > 0) tell('W', descriptor, offset, NULL, data, (uint32_t)some);
    }
    pthread_mutex_unlock(&lock);
    return some;
}

ssize_t write(int descriptor, const void *data, size_t length) {
    return mine(descriptor) ? written(descriptor, data, length, 0, 0) : REAL(write)(descriptor, data, length);
}
ssize_t pwrite(int descriptor, const void *data, size_t length, off_t offset) {
    return mine(descriptor) ? written(descriptor, data, length, offset, 1)
                            : REAL(pwrite)(descriptor, data, length, offset);
}
ssize_t pwrite64(int descriptor, const void *data, size_t length, off_t offset) {
    return pwrite(descriptor, data, length, offset);
}

static ssize_t gathered(int descriptor, const struct iovec *parts, int count, off_t offset, int positioned) {
    ssize_t done = 0;
    for (int i = 0; i < count; i++) {
        ssize_t some = written(descriptor, parts[i].iov_base, parts[i].iov_len, offset + done, positioned);
        if (some < 0) return done ? done : some;
        done += some;
        if ((size_t)some < parts[i].iov_len) break;
    }
    return done;
}

ssize_t writev(int descriptor, const struct iovec *parts, int count) {
    return mine(descriptor) ? gathered(descriptor, parts, count, 0, 0) : REAL(writev)(descriptor, parts, count);
}
ssize_t pwritev(int descriptor, const struct iovec *parts, int count, off_t offset) {
    return mine(descriptor) ? gathered(descriptor, parts, count, offset, 1)
                            : REAL(pwritev)(descriptor, parts, count, offset);
}
ssize_t pwritev64(int descriptor, const struct iovec *parts, int count, off_t offset) {
    return pwritev(descriptor, parts, count, offset);
}

/* What would write past this log is refused, and the callers fall back to plain writes. */
ssize_t copy_file_range(int from, off_t *in, int to, off_t *out, size_t length, unsigned flags) {
    if (!mine(to)) return REAL(copy_file_range)(from, in, to, out, length, flags);
    errno = EXDEV;
    return -1;
}
ssize_t sendfile(int to, int from, off_t *offset, size_t count) {
    if (!mine(to)) return ((ssize_t(*)(int, int, off_t *, size_t))real("sendfile"))(to, from, offset, count);
    errno = ENOTSOCK;
    return -1;
}
ssize_t sendfile64(int to, int from, off_t *offset, size_t count) { return sendfile(to, from, offset, count); }

int ftruncate(int descriptor, off_t size) {
    if (!mine(descriptor)) return REAL(ftruncate)(descriptor, size);
    pthread_mutex_lock(&lock);
    int result = REAL(ftruncate)(descriptor, size);
    if (result == 0) tell('T', descriptor, size, NULL, NULL, 0);
    pthread_mutex_unlock(&lock);
    return result;
}
int ftruncate64(int descriptor, off_t size) { return ftruncate(descriptor, size); }

int fallocate(int descriptor, int mode, off_t offset, off_t length) {
    if (!mine(descriptor)) return REAL(fallocate)(descriptor, mode, offset, length);
    errno = EOPNOTSUPP;
    return -1;
}
int fallocate64(int descriptor, int mode, off_t offset, off_t length) { return fallocate(descriptor, mode, offset, length); }
int posix_fallocate(int descriptor, off_t offset, off_t length) {
    return mine(descriptor) ? EOPNOTSUPP : REAL(posix_fallocate)(descriptor, offset, length);
}
int posix_fallocate64(int descriptor, off_t offset, off_t length) { return posix_fallocate(descriptor, offset, length); }

static int synced(int descriptor, int (*sync)(int)) {
    pthread_mutex_lock(&lock);
    int result = -1;
    if (failing_sync > 0 && --failing_sync == 0) {
        errno = EIO;
    } else {
        result = sync(descriptor);
        if (result == 0) tell('S', descriptor, 0, NULL, NULL, 0);
    }
    pthread_mutex_unlock(&lock);
    return result;
}
int fsync(int descriptor) { return mine(descriptor) ? synced(descriptor, REAL(fsync)) : REAL(fsync)(descriptor); }
int fdatasync(int descriptor) {
    return mine(descriptor) ? synced(descriptor, REAL(fdatasync)) : REAL(fdatasync)(descriptor);
}

static int renamed(int from_folder, const char *from, int to_folder, const char *to, unsigned flags) {
    char first[PATH_MAX * 2], second[PATH_MAX * 2];
    const char *old = whole(from_folder, from, first), *fresh = whole(to_folder, to, second);
    pthread_mutex_lock(&lock);
    int result = REAL(renameat2)(from_folder, from, to_folder, to, flags);
    if (result == 0 && (under(old) || under(fresh))) tell('R', -1, 0, old, fresh, (uint32_t)strlen(fresh));
    pthread_mutex_unlock(&lock);
    return result;
}
int rename(const char *from, const char *to) { return renamed(AT_FDCWD, from, AT_FDCWD, to, 0); }
int renameat(int a, const char *from, int b, const char *to) { return renamed(a, from, b, to, 0); }
int renameat2(int a, const char *from, int b, const char *to, unsigned flags) { return renamed(a, from, b, to, flags); }

int linkat(int a, const char *from, int b, const char *to, int flags) {
    char first[PATH_MAX * 2], second[PATH_MAX * 2];
    const char *old = whole(a, from, first), *fresh = whole(b, to, second);
    pthread_mutex_lock(&lock);
    int result = under(fresh) && no_names() ? -1 : REAL(linkat)(a, from, b, to, flags);
    if (result == 0 && under(fresh)) tell('L', -1, 0, old, fresh, (uint32_t)strlen(fresh));
    pthread_mutex_unlock(&lock);
    return result;
}
int link(const char *from, const char *to) { return linkat(AT_FDCWD, from, AT_FDCWD, to, 0); }

int unlinkat(int folder, const char *path, int flags) {
    char buffer[PATH_MAX * 2];
    const char *full = whole(folder, path, buffer);
    pthread_mutex_lock(&lock);
    struct stat status;
    long long freed = 0;
    if (room >= 0 && under(full) && stat(full, &status) == 0 && S_ISREG(status.st_mode) && status.st_nlink == 1)
        freed = (long long)status.st_size;
    int result = REAL(unlinkat)(folder, path, flags);
    if (result == 0 && under(full)) {
        room += freed;
        tell('U', -1, 0, full, NULL, 0);
    }
    pthread_mutex_unlock(&lock);
    return result;
}
int unlink(const char *path) { return unlinkat(AT_FDCWD, path, 0); }
int rmdir(const char *path) { return unlinkat(AT_FDCWD, path, AT_REMOVEDIR); }
int remove(const char *path) {
    int result = unlink(path);
    return result == 0 || (errno != EISDIR && errno != EPERM) ? result : rmdir(path);
}

int mkdirat(int folder, const char *path, mode_t mode) {
    char buffer[PATH_MAX * 2];
    const char *full = whole(folder, path, buffer);
    pthread_mutex_lock(&lock);
    int result = under(full) && no_names() ? -1 : REAL(mkdirat)(folder, path, mode);
    if (result == 0 && under(full)) tell('M', -1, 0, full, NULL, 0);
    pthread_mutex_unlock(&lock);
    return result;
}
int mkdir(const char *path, mode_t mode) { return mkdirat(AT_FDCWD, path, mode); }
