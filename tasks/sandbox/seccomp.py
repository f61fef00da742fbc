"""The system calls that a sandboxed program may make, as a filter for the kernel (classic BPF, seccomp(2)).

Whatever is not listed fails with EPERM: other processes and threads, sockets to anywhere, signals, mounts, tracing,
namespaces, keys, io_uring. So native code, by `ctypes` or otherwise, reaches no further than Python does.
"""

import platform
import struct

_LOAD, _EQUAL, _RETURN = 0x20, 0x15, 0x06  # BPF_LD|BPF_W|BPF_ABS, BPF_JMP|BPF_JEQ|BPF_K, BPF_RET|BPF_K
_ALLOW, _KILL, _EPERM = 0x7FFF0000, 0x80000000, 0x00050001
_NUMBER, _ARCH, _ARGUMENT = 0, 4, 16  # offsets in struct seccomp_data; an argument has 8 bytes, its low half first

_MACHINES = {"x86_64": (0xC000003E, 0), "aarch64": (0xC00000B7, 1)}
"""Machine → its AUDIT_ARCH, and the place of its numbers below."""

_CALLS = """
read 0 63, write 1 64, close 3 57, fstat 5 80, lseek 8 62, mmap 9 222, mprotect 10 226, munmap 11 215, brk 12 214,
rt_sigaction 13 134, rt_sigprocmask 14 135, rt_sigreturn 15 139, pread64 17 67, pwrite64 18 68, readv 19 65,
writev 20 66, sched_yield 24 124, mremap 25 216, msync 26 227, madvise 28 233, dup 32 23, nanosleep 35 101,
getitimer 36 102, setitimer 38 103, getpid 39 172, sendfile 40 71, sendto 44 206, recvfrom 45 207, shutdown 48 210,
getsockname 51 204, getpeername 52 205, setsockopt 54 208, getsockopt 55 209, execve 59 221, exit 60 93, wait4 61 260,
uname 63 160, fcntl 72 25, flock 73 32, fsync 74 82, fdatasync 75 83, truncate 76 45, ftruncate 77 46, getcwd 79 17,
chdir 80 49, fchdir 81 50, fchmod 91 52, umask 95 166, gettimeofday 96 169, getrlimit 97 163, getrusage 98 165,
sysinfo 99 179, times 100 153, getuid 102 174, getgid 104 176, geteuid 107 175, getegid 108 177, setrlimit 160 164,
getppid 110 173, getpgid 121 155, getsid 124 156, getgroups 115 158, getresuid 118 148, getresgid 120 150,
rt_sigpending 127 136, rt_sigsuspend 130 133, sigaltstack 131 132, statfs 137 43, fstatfs 138 44, gettid 186 178,
futex 202 98, sched_getaffinity 204 123, getdents64 217 61, set_tid_address 218 96, clock_gettime 228 113,
clock_getres 229 114, clock_nanosleep 230 115, exit_group 231 94, epoll_ctl 233 21, openat 257 56, mkdirat 258 34,
newfstatat 262 79, unlinkat 263 35, renameat 264 38, linkat 265 37, symlinkat 266 36, readlinkat 267 78,
fchmodat 268 53, faccessat 269 48, pselect6 270 72, ppoll 271 73, set_robust_list 273 99, utimensat 280 88,
epoll_pwait 281 22, epoll_create1 291 20, dup3 292 24, pipe2 293 59, prlimit64 302 261, renameat2 316 276,
getrandom 318 278, statx 332 291, rseq 334 293, faccessat2 439 439,
stat 4 -, lstat 6 -, open 2 -, poll 7 -, access 21 -, pipe 22 -, select 23 -, dup2 33 -, pause 34 -, alarm 37 -,
rename 82 -, mkdir 83 -, rmdir 84 -, creat 85 -, link 86 -, unlink 87 -, symlink 88 -, readlink 89 -, chmod 90 -,
getpgrp 111 -, utime 132 -, arch_prctl 158 -, time 201 -, epoll_wait 232 -, utimes 235 -, futimesat 261 -
"""
"""Name, number on x86-64 and on AArch64. Those that make something can make no more than the memory and files allow."""

_WITH = {
    "ioctl": ((16, 29), 1, (0x5401, 0x5413, 0x5421, 0x541B, 0x5450, 0x5451)),  # is it a terminal; non-blocking; cloexec
    "socketpair": ((53, 199), 0, (1,)),  # AF_UNIX, between the program and itself: asyncio wakes itself so
}
"""Calls allowed with some values of one argument only: numbers, place of the argument, values."""


def program(machine: str = platform.machine()) -> bytes | None:
    """The filter for a kind of machine, as the kernel takes it; None where the numbers of its calls are not known."""
    if machine not in _MACHINES:
        return None
    arch, place = _MACHINES[machine]
    calls = [call.split()[1 + place] for call in _CALLS.replace("\n", " ").split(",")]
    made = [_step(_LOAD, _ARCH), _step(_EQUAL, arch, yes=1), _step(_RETURN, _KILL)]
    for numbers, argument, values in _WITH.values():
        made += [_step(_LOAD, _NUMBER), _step(_EQUAL, numbers[place], no=len(values) * 2 + 2)]
        made += [_step(_LOAD, _ARGUMENT + 8 * argument)]
        for value in values:
            made += [_step(_EQUAL, value, no=1), _step(_RETURN, _ALLOW)]
        made += [_step(_RETURN, _EPERM)]
    made += [_step(_LOAD, _NUMBER)]
    for number in calls:
        if number != "-":
            made += [_step(_EQUAL, int(number), no=1), _step(_RETURN, _ALLOW)]
    return b"".join([*made, _step(_RETURN, _EPERM)])


def _step(code: int, value: int, *, yes: int = 0, no: int = 0) -> bytes:
    """One instruction: struct sock_filter."""
    return struct.pack("=HBBI", code, yes, no, value)
