/* report.c: see report.h. Touches standard error only; needs no lock and no memory. */
#include "report.h"

#include <stdarg.h>

#include "granule.h"
#include "os.h"

enum { LINE_BYTES = 400 };

struct line {
    char text[LINE_BYTES];
    size_t used;
};

static const char *const names[FAULT_COUNT] = {
    [FAULT_MISALIGNED] = "misaligned pointer",
    [FAULT_FOREIGN] = "foreign pointer",
    [FAULT_INTERIOR] = "interior pointer",
    [FAULT_DOUBLE_FREE] = "double free",
    [FAULT_HEADER] = "corrupted header",
    [FAULT_FOOTER] = "corrupted footer",
    [FAULT_LINK] = "corrupted link",
    [FAULT_NEXTSIZE] = "corrupted nextsize",
    [FAULT_FAST] = "corrupted fast bin",
    [FAULT_TOP] = "corrupted top",
    [FAULT_CACHE] = "corrupted cache",
    [FAULT_SIZED_FREE] = "sized free mismatch",
    [FAULT_BREACH] = "heap breach",
};

const char *fault_name(enum fault fault) { return names[fault]; }

static void put_char(struct line *l, char c) {
    if (l->used < LINE_BYTES - 1)
        l->text[l->used++] = c;
}

static void put_text(struct line *l, const char *text) {
    for (const char *c = text == NULL ? "(null)" : text; *c != '\0'; c++)
        put_char(l, *c);
}

static void put_number(struct line *l, uint64_t n, unsigned radix) {
    char digits[20];
    unsigned count = 0;
    do {
        digits[count++] = "0123456789abcdef"[n % radix];
        n /= radix;
    } while (n != 0);
    while (count > 0)
        put_char(l, digits[--count]);
}

static void put_formatted(struct line *l, const char *format, va_list *arguments) {
    for (const char *c = format; *c != '\0'; c++) {
        if (*c != '%' || c[1] == '\0') {
            put_char(l, *c);
            continue;
        }
        switch (*++c) {
        case 's':
            put_text(l, va_arg(*arguments, const char *));
            break;
        case 'p':
            put_text(l, "0x");
            put_number(l, (uintptr_t)va_arg(*arguments, const void *), 16);
            break;
        case 'u':
            put_number(l, va_arg(*arguments, unsigned), 10);
            break;
        case 'x':
            put_number(l, va_arg(*arguments, unsigned), 16);
            break;
        case 'z':
            put_number(l, va_arg(*arguments, size_t), 10);
            break;
        default:
            put_char(l, *c);
        }
    }
}

void report_line(const char *format, ...) {
    struct line l = {.used = 0};
    va_list arguments;
    va_start(arguments, format);
    put_formatted(&l, format, &arguments);
    va_end(arguments);
    put_char(&l, '\n');
    l.text[l.used - 1] = '\n'; /* also when the line was cut */
    os_write_error(l.text, l.used);
}

void report_fault(enum fault fault, const void *pointer, const void *chunk, const char *detail) {
    if (chunk == NULL)
        report_line("chunkproof: %s: %p (%s)", names[fault], pointer, detail);
    else {
        const struct granule *h = chunk;
        report_line("chunkproof: %s: %p (%s), chunk %p: prev_size %u size %u granules seal 0x%x"
                    " prev_inuse %u flags 0x%x",
                    names[fault], pointer, detail, chunk, h->lo, h->size, (unsigned)h->seal,
                    (unsigned)h->prev_inuse, (unsigned)h->flags);
    }
    os_abort();
}

void report_breach(const struct cp_breach *breach) {
    cp_check_print(breach);
    os_abort();
}
