/*
 * A plugin of QEMU: counts the instructions the emulated program runs, thread by thread, into the file named by out=, an
 * array of 64-bit numbers that can be read and added up while the program runs. Debian has no header for plugins, so what
 * is used of QEMU's interface (version 1, of QEMU 4.2 and later) is declared here.
 */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* Threads are numbered from 0 and a number is used again when its thread has ended; more than these share places. */
#define THREADS 1024

struct qemu_plugin_tb;
typedef struct qemu_info qemu_info_t;
typedef void on_block(uint64_t id, struct qemu_plugin_tb *block);
typedef void on_run(unsigned int thread, void *instructions);
extern void qemu_plugin_register_vcpu_tb_trans_cb(uint64_t id, on_block *translated);
extern void qemu_plugin_register_vcpu_tb_exec_cb(struct qemu_plugin_tb *block, on_run *run, int flags, void *given);
extern size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *block);

__attribute__((visibility("default"))) int qemu_plugin_version = 1;

static volatile uint64_t *counts;

static void run(unsigned int thread, void *instructions)
{
    counts[thread % THREADS] += (uintptr_t)instructions;
}

static void translated(uint64_t id, struct qemu_plugin_tb *block)
{
    (void)id;
    qemu_plugin_register_vcpu_tb_exec_cb(block, run, 0, (void *)(uintptr_t)qemu_plugin_tb_n_insns(block));
}

__attribute__((visibility("default"))) int qemu_plugin_install(uint64_t id, const qemu_info_t *info, int argc, char **argv)
{
    (void)info;
    if (argc != 1 || strncmp(argv[0], "out=", 4)) {
        fprintf(stderr, "count: say out=FILE\n");
        return 1;
    }
    int file = open(argv[0] + 4, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    if (file < 0 || ftruncate(file, THREADS * sizeof *counts)) {
        perror(argv[0] + 4);
        return 1;
    }
    counts = mmap(NULL, THREADS * sizeof *counts, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    close(file);
    if (counts == MAP_FAILED) {
        perror("count");
        return 1;
    }
    qemu_plugin_register_vcpu_tb_trans_cb(id, translated);
    return 0;
}
