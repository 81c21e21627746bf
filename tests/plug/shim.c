/*
 * Preloaded into the node (LD_PRELOAD): records what it does to the files under PLUG_ROOT into PLUG_LOG, in order and with
 * the data, so that the folder can be rebuilt as a power cut at any moment could have left it; and lets one write or sync
 * fail (PLUG_FAIL=write:7:EIO, sync:3:EIO). PLUG_SLOW=5000 makes every sync take so many microseconds, as a memory card
 * does: what should wait for a sync and does not is done long before it. PLUG_FULL=/index/:FILE lets every write to a path
 * with these words in it find no room, as long as FILE is there.
 *
 * Only calls through the C library are seen. rustix makes its system calls by itself (fallocate, flock), so every record
 * of a file also says how long the file really is. What else went past shows in the end: a folder rebuilt with everything
 * kept must be the real one, byte by byte, and the rig compares them.
 *
 * A write is recorded when it has been made, and a sync too, with the length the log had when the sync began: it covers
 * what was recorded before. One record is one writev to a file in append mode, so threads cannot mix them.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

enum kind { CREATE = 1, MKDIR, WRITE, TRUNCATE, SYNC, SYNC_FOLDER, RENAME, UNLINK, RMDIR, SYNC_FAILED, OVERFLOW };

struct record {
    uint32_t kind, path_bytes, other_bytes, data_bytes;
    uint64_t inode, offset, size, begun;
};

/* Bytes of the log: what a machine with little memory can hold while it is replayed. */
#define LOG_BYTES_MAX (512ull << 20)

static int log_fd = -1;
static const char *root;
static size_t root_bytes;
static const char *fail_call = "", *fail_how = "";
static long fail_at, slow_us;
static char full_part[64];
static const char *full_while;
static atomic_long writes, syncs;

__attribute__((constructor)) static void begin(void) {
    const char *path = getenv("PLUG_LOG"), *fail = getenv("PLUG_FAIL");
    root = getenv("PLUG_ROOT");
    root_bytes = root ? strlen(root) : 0;
    if (path && root)
        log_fd = (int)syscall(SYS_openat, AT_FDCWD, path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    slow_us = getenv("PLUG_SLOW") ? atol(getenv("PLUG_SLOW")) : 0;
    const char *full = getenv("PLUG_FULL"), *colon = full ? strchr(full, ':') : NULL;
    if (colon && (size_t)(colon - full) < sizeof full_part) {
        memcpy(full_part, full, (size_t)(colon - full));
        full_while = colon + 1;
    }
    static char how[64];
    if (fail && strlen(fail) < sizeof how) {
        strcpy(how, fail);
        fail_call = strtok(how, ":");
        char *at = strtok(NULL, ":"), *kind = strtok(NULL, ":");
        fail_at = at ? atol(at) : 0;
        fail_how = kind ? kind : "EIO";
    }
}

static int is_ours(const char *path) {
    return root && strncmp(path, root, root_bytes) == 0 && (path[root_bytes] == '/' || path[root_bytes] == 0);
}

static uint64_t log_bytes(void) {
    off_t end = syscall(SYS_lseek, log_fd, 0, SEEK_END);
    return end < 0 ? 0 : (uint64_t)end;
}

static void put(struct record *record, const char *path, const char *other, const void *data, size_t bytes) {
    int kept = errno;
    if (log_fd < 0) return;
    if (log_bytes() > LOG_BYTES_MAX) {
        record->kind = OVERFLOW;
        bytes = 0;
    }
    record->path_bytes = path ? (uint32_t)strlen(path) : 0;
    record->other_bytes = other ? (uint32_t)strlen(other) : 0;
    record->data_bytes = (uint32_t)bytes;
    struct iovec parts[4] = {
        {record, sizeof *record},
        {(void *)path, record->path_bytes},
        {(void *)other, record->other_bytes},
        {(void *)data, bytes},
    };
    syscall(SYS_writev, log_fd, parts, 4);
    errno = kept;
}

/* The path of an open file, if it is one of ours. */
static int path_of(int fd, char *path) {
    int kept = errno;
    char link[64];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t bytes = syscall(SYS_readlinkat, AT_FDCWD, link, path, PATH_MAX - 1);
    errno = kept;
    if (bytes <= 0) return 0;
    path[bytes] = 0;
    return is_ours(path);
}

/* The whole path of a name, if it is one of ours. */
static int whole(int folder, const char *name, char *path) {
    char base[PATH_MAX];
    base[0] = 0;
    if (name[0] != '/') {
        if (folder == AT_FDCWD ? !getcwd(base, sizeof base) : !path_of(folder, base)) return 0;
        if (strlen(base) + 2 > sizeof base) return 0;
        strcat(base, "/");
    }
    return snprintf(path, PATH_MAX, "%s%s", base, name) < PATH_MAX && is_ours(path);
}

static void named(enum kind kind, const char *path, const char *other) {
    struct stat stat = {0};
    int kept = errno;
    if (kind == CREATE || kind == MKDIR) lstat(path, &stat);
    errno = kept;
    struct record record = {.kind = kind, .inode = stat.st_ino, .size = (uint64_t)stat.st_size};
    put(&record, path, other, NULL, 0);
}

static void changed(enum kind kind, int fd, const char *path, uint64_t offset, const void *data, size_t bytes) {
    struct stat stat;
    int kept = errno;
    if (fstat(fd, &stat) == 0 && S_ISREG(stat.st_mode)) {
        struct record record = {.kind = kind, .inode = stat.st_ino, .offset = offset, .size = (uint64_t)stat.st_size};
        put(&record, path, NULL, data, bytes);
    }
    errno = kept;
}

/* Whether this call is the one that is to fail. */
static int fails(const char *call, atomic_long *count) {
    return strcmp(fail_call, call) == 0 && atomic_fetch_add(count, 1) + 1 == fail_at;
}

/* Whether there is no room for this file now. */
static int is_full(const char *path) {
    int kept = errno;
    int full = full_while && strstr(path, full_part) && syscall(SYS_faccessat, AT_FDCWD, full_while, F_OK) == 0;
    errno = kept;
    return full;
}

static int open_at(int folder, const char *name, int flags, mode_t mode) {
    char path[PATH_MAX];
    int ours = (flags & (O_CREAT | O_TRUNC)) && whole(folder, name, path);
    struct stat before;
    int kept = errno, was = ours && lstat(path, &before) == 0;
    errno = kept;
    int fd = (int)syscall(SYS_openat, folder, name, flags, mode);
    if (fd >= 0 && ours && !was) named(CREATE, path, NULL);
    if (fd >= 0 && ours && was && (flags & O_TRUNC)) changed(TRUNCATE, fd, path, 0, NULL, 0);
    return fd;
}

static mode_t mode_in(int flags, va_list rest) {
    return flags & (O_CREAT | O_TMPFILE) ? (mode_t)va_arg(rest, int) : 0;
}

#define OPEN(name)                                        \
    int name(const char *path, int flags, ...) {          \
        va_list rest;                                     \
        va_start(rest, flags);                            \
        mode_t mode = mode_in(flags, rest);               \
        va_end(rest);                                     \
        return open_at(AT_FDCWD, path, flags, mode);      \
    }
OPEN(open)
OPEN(open64)

#define OPEN_AT(name)                                          \
    int name(int folder, const char *path, int flags, ...) {   \
        va_list rest;                                          \
        va_start(rest, flags);                                 \
        mode_t mode = mode_in(flags, rest);                    \
        va_end(rest);                                          \
        return open_at(folder, path, flags, mode);             \
    }
OPEN_AT(openat)
OPEN_AT(openat64)

/* A write at `offset`, or where the file stands when that is -1. */
static ssize_t write_at(int fd, const void *data, size_t bytes, off_t offset) {
    char path[PATH_MAX];
    if (!path_of(fd, path)) {
        return offset < 0 ? syscall(SYS_write, fd, data, bytes) : syscall(SYS_pwrite64, fd, data, bytes, offset);
    }
    if (is_full(path)) {
        errno = ENOSPC;
        return -1;
    }
    if (fails("write", &writes)) {
        if (strcmp(fail_how, "SHORT") != 0 || bytes < 2) {
            errno = strcmp(fail_how, "ENOSPC") == 0 ? ENOSPC : EIO;
            return -1;
        }
        bytes /= 2;
    }
    ssize_t done = offset < 0 ? syscall(SYS_write, fd, data, bytes) : syscall(SYS_pwrite64, fd, data, bytes, offset);
    if (done > 0) {
        off_t from = offset < 0 ? (off_t)syscall(SYS_lseek, fd, 0, SEEK_CUR) - done : offset;
        changed(WRITE, fd, path, (uint64_t)from, data, (size_t)done);
    }
    return done;
}

ssize_t write(int fd, const void *data, size_t bytes) { return write_at(fd, data, bytes, -1); }
ssize_t pwrite(int fd, const void *data, size_t bytes, off_t offset) { return write_at(fd, data, bytes, offset); }
ssize_t pwrite64(int fd, const void *data, size_t bytes, off_t offset) { return write_at(fd, data, bytes, offset); }

/* Part after part: who asks may be given less than all. */
ssize_t writev(int fd, const struct iovec *parts, int count) {
    char path[PATH_MAX];
    if (!path_of(fd, path)) return syscall(SYS_writev, fd, parts, count);
    for (int at = 0; at < count; at++)
        if (parts[at].iov_len) return write_at(fd, parts[at].iov_base, parts[at].iov_len, -1);
    return 0;
}

int ftruncate(int fd, off_t bytes) {
    char path[PATH_MAX];
    int done = (int)syscall(SYS_ftruncate, fd, bytes);
    if (done == 0 && path_of(fd, path)) changed(TRUNCATE, fd, path, 0, NULL, 0);
    return done;
}
int ftruncate64(int fd, off_t bytes) { return ftruncate(fd, bytes); }

static int sync_with(long call, int fd) {
    char path[PATH_MAX];
    struct stat stat;
    if (!path_of(fd, path) || fstat(fd, &stat) != 0) return (int)syscall(call, fd);
    uint64_t begun = log_fd < 0 ? 0 : log_bytes();
    if (slow_us > 0) nanosleep(&(struct timespec){slow_us / 1000000, slow_us % 1000000 * 1000}, NULL);
    /* The bytes stay in the kernel's memory and never reach the disk: that is what EIO from a sync means. */
    int failed = fails("sync", &syncs);
    int done = failed ? -1 : (int)syscall(call, fd);
    if (failed) errno = EIO;
    enum kind kind = failed ? SYNC_FAILED : S_ISDIR(stat.st_mode) ? SYNC_FOLDER : SYNC;
    if (done != 0 && !failed) return done;
    int kept = errno;
    fstat(fd, &stat);
    errno = kept;
    struct record record = {.kind = kind, .inode = stat.st_ino, .size = (uint64_t)stat.st_size, .begun = begun};
    put(&record, path, NULL, NULL, 0);
    return done;
}
int fsync(int fd) { return sync_with(SYS_fsync, fd); }
int fdatasync(int fd) { return sync_with(SYS_fdatasync, fd); }

static int rename_at(int from_folder, const char *from, int to_folder, const char *to, unsigned flags) {
    char old[PATH_MAX], new[PATH_MAX];
    int ours = whole(from_folder, from, old) && whole(to_folder, to, new);
    int done = (int)syscall(SYS_renameat2, from_folder, from, to_folder, to, flags);
    if (done == 0 && ours) named(RENAME, old, new);
    return done;
}
int rename(const char *from, const char *to) { return rename_at(AT_FDCWD, from, AT_FDCWD, to, 0); }
int renameat(int a, const char *from, int b, const char *to) { return rename_at(a, from, b, to, 0); }
int renameat2(int a, const char *from, int b, const char *to, unsigned flags) {
    return rename_at(a, from, b, to, flags);
}

int unlinkat(int folder, const char *name, int flags) {
    char path[PATH_MAX];
    int ours = whole(folder, name, path);
    int done = (int)syscall(SYS_unlinkat, folder, name, flags);
    if (done == 0 && ours) named(flags & AT_REMOVEDIR ? RMDIR : UNLINK, path, NULL);
    return done;
}
int unlink(const char *name) { return unlinkat(AT_FDCWD, name, 0); }
int rmdir(const char *name) { return unlinkat(AT_FDCWD, name, AT_REMOVEDIR); }

int mkdirat(int folder, const char *name, mode_t mode) {
    char path[PATH_MAX];
    int ours = whole(folder, name, path);
    int done = (int)syscall(SYS_mkdirat, folder, name, mode);
    if (done == 0 && ours) named(MKDIR, path, NULL);
    return done;
}
int mkdir(const char *name, mode_t mode) { return mkdirat(AT_FDCWD, name, mode); }
