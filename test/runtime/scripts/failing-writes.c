// Lets writes to one folder fail, for LD_PRELOAD: those of Node, of the addon and of SQLite alike.
//
// GRANULE_FAULT_FOLDER names the folder. A process arms it by asking for access to a path that does not exist:
//   /granule-fault/arm/<calls>/<errno>/<times>   the calls after <calls> more fail, <times> of them
//   /granule-fault/disarm                        nothing fails any more; succeeds where something has failed
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

static atomic_long calls_left = LONG_MAX;
static atomic_long times_left = 0;
static atomic_long failed = 0;
static atomic_int error_number = EIO;

static int in_folder(const char *path) {
  const char *folder = getenv("GRANULE_FAULT_FOLDER");
  return folder != NULL && path != NULL && strncmp(path, folder, strlen(folder)) == 0;
}

// Whether this call is to fail; `errno` is set then.
static int fails(const char *path) {
  if (atomic_load(&times_left) <= 0 || !in_folder(path)) return 0;
  if (atomic_fetch_sub(&calls_left, 1) > 0) return 0;
  if (atomic_fetch_sub(&times_left, 1) <= 0) return 0;
  atomic_fetch_add(&failed, 1);
  errno = atomic_load(&error_number);
  return 1;
}

static int fails_file(int file) {
  if (atomic_load(&times_left) <= 0) return 0;
  char link[64];
  char path[PATH_MAX + 1];
  snprintf(link, sizeof link, "/proc/self/fd/%d", file);
  const ssize_t length = readlink(link, path, PATH_MAX);
  if (length <= 0) return 0;
  path[length] = 0;
  return fails(path);
}

#define NEXT(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

int access(const char *path, int mode) {
  long calls;
  int number;
  long times;
  if (sscanf(path, "/granule-fault/arm/%ld/%d/%ld", &calls, &number, &times) == 3) {
    atomic_store(&failed, 0);
    atomic_store(&error_number, number);
    atomic_store(&calls_left, calls);
    atomic_store(&times_left, times);
    return 0;
  }
  if (strcmp(path, "/granule-fault/disarm") == 0) {
    atomic_store(&times_left, 0);
    if (atomic_load(&failed) > 0) return 0;
    errno = ENOENT;
    return -1;
  }
  return NEXT(access)(path, mode);
}

ssize_t write(int file, const void *data, size_t size) { return fails_file(file) ? -1 : NEXT(write)(file, data, size); }

ssize_t writev(int file, const struct iovec *parts, int count) {
  return fails_file(file) ? -1 : NEXT(writev)(file, parts, count);
}

ssize_t pwrite(int file, const void *data, size_t size, off_t at) {
  return fails_file(file) ? -1 : NEXT(pwrite)(file, data, size, at);
}

ssize_t pwrite64(int file, const void *data, size_t size, off64_t at) {
  return fails_file(file) ? -1 : NEXT(pwrite64)(file, data, size, at);
}

ssize_t pwritev(int file, const struct iovec *parts, int count, off_t at) {
  return fails_file(file) ? -1 : NEXT(pwritev)(file, parts, count, at);
}

int fsync(int file) { return fails_file(file) ? -1 : NEXT(fsync)(file); }

int fdatasync(int file) { return fails_file(file) ? -1 : NEXT(fdatasync)(file); }

int ftruncate(int file, off_t size) { return fails_file(file) ? -1 : NEXT(ftruncate)(file, size); }

int ftruncate64(int file, off64_t size) { return fails_file(file) ? -1 : NEXT(ftruncate64)(file, size); }

int rename(const char *from, const char *to) { return fails(to) ? -1 : NEXT(rename)(from, to); }

int mkdir(const char *path, mode_t mode) { return fails(path) ? -1 : NEXT(mkdir)(path, mode); }

// With GRANULE_FAULT_READ_ONLY the folder is one of a medium that forbids writing.
#define OPEN(name)                                                                \
  int name(const char *path, int flags, ...) {                                    \
    va_list arguments;                                                            \
    va_start(arguments, flags);                                                   \
    const mode_t mode = (flags & (O_CREAT | __O_TMPFILE)) ? va_arg(arguments, mode_t) : 0; \
    va_end(arguments);                                                            \
    if ((flags & (O_WRONLY | O_RDWR | O_CREAT)) && in_folder(path)) {              \
      if (getenv("GRANULE_FAULT_READ_ONLY") != NULL) {                            \
        errno = EROFS;                                                            \
        return -1;                                                                \
      }                                                                           \
      if (fails(path)) return -1;                                                 \
    }                                                                             \
    return NEXT(name)(path, flags, mode);                                         \
  }

OPEN(open)
OPEN(open64)
