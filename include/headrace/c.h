/* headrace from C, and from whatever can call C: one function that runs a command, with JSON in
 * and JSON out.
 *
 *   char* report = NULL;
 *   int code = headrace_run("load", "{\"to\": \"out.sqlite\", \"table\": \"t\"}", &stream,
 *                           NULL, NULL, &report);
 *   puts(report);
 *   headrace_free(report);
 *
 * ABI: what stands here stays as it is under one HEADRACE_C_ABI; structs grow at their end only,
 * and say their own size. Ask headrace_c_abi() when the library was loaded at run time.
 *
 * Threads: every function may be called from any thread, and several loads may run at once.
 * Nothing is printed, no signal handler is set, no exception leaves the library.
 */
#ifndef HEADRACE_C_H
#define HEADRACE_C_H

#include <stdint.h>

#include "headrace/arrow_c_data.h"

#if defined(__GNUC__)
#define HEADRACE_C_EXPORT __attribute__((visibility("default")))
#else
#define HEADRACE_C_EXPORT
#endif

#ifdef __cplusplus
extern "C" {
#endif

#define HEADRACE_C_ABI 1

/* The HEADRACE_C_ABI that the library was built with. */
HEADRACE_C_EXPORT int headrace_c_abi(void);

/* "0.1.0"; never freed. */
HEADRACE_C_EXPORT const char* headrace_c_version(void);

/* Stops loads. One may stop several. */
typedef struct headrace_cancel headrace_cancel;

/* NULL: out of memory. */
HEADRACE_C_EXPORT headrace_cancel* headrace_cancel_new(void);

/* Asks the loads that were given `cancel` to stop: from any thread, also in a signal handler. The
 * load returns within about a second, with the target as it was, also while the stream waits. */
HEADRACE_C_EXPORT void headrace_cancel_set(headrace_cancel* cancel);

/* REQUIRES: no load with it is running. NULL is allowed. */
HEADRACE_C_EXPORT void headrace_cancel_free(headrace_cancel* cancel);

typedef struct {
  int64_t rows_written;
  int64_t rows_total; /* -1: not known */
  int64_t bytes_sent;
  double seconds;    /* since the first row */
  const char* phase; /* valid during the call */
} headrace_progress;

/* What a load tells while it runs. Called in the thread of headrace_run() and must not throw. */
typedef struct {
  uint32_t size; /* sizeof(headrace_observer) */
  void* user;    /* handed back in every call */
  /* A line for a log, as "Writing 50,000 rows to PostgreSQL with batch size 10000". May be NULL. */
  void (*log)(void* user, const char* line);
  /* About ten times a second. May be NULL. */
  void (*progress)(void* user, const headrace_progress* now);
} headrace_observer;

/* Runs a command of headrace to its end.
 *
 * command  load, plan, inspect, check, recommend, gc
 * request  a JSON object with the options of that command in the words of the command line
 *          (`headrace load --help`), without dashes in front and with _ or - inside:
 *          {"to": "postgresql://...", "table": "s.t", "mode": "upsert", "key": ["id"],
 *           "nan_as_null": true, "connections": 4, "memory": "256MiB"}
 *          true sets a flag; false and null leave an option out; a list gives it several times.
 *          "source": paths, or the name that messages give to the stream. "source_rows": rows that
 *          the stream will give, where that is known. "discard": true throws the rows away instead
 *          of committing them, for measurements. The environment's HEADRACE_* are not read.
 * stream   rows for load and plan, or NULL: then "source" names files, which this library reads
 *          when it was built with Arrow C++. The stream is taken over: its release is called in
 *          every case, by any thread, and a caller must not touch it afterwards. Its get_next runs
 *          in a thread of the library, one call at a time. If it does not come back after a
 *          cancellation, the load ends without it: then get_next returns, and release is called,
 *          later. plan reads the schema only.
 * observer may be NULL
 * cancel   may be NULL
 * result   becomes a JSON object, always, for headrace_free(): the report of a load, the plan, ...
 *          It has a member "error" {code, message, hint, sqlstate, retryable,
 *          where{file, partition, row, column}, context} when and only when the command failed.
 *          Passwords are masked. NULL only when memory is out.
 *
 * Returns the exit code that the command line would have: 0 ok, 1 failed (or not ready: check),
 * 2 usage, 3 source not found, 4 connection or authentication, 5 retries exhausted, 130 cancelled.
 */
HEADRACE_C_EXPORT int headrace_run(const char* command, const char* request,
                                   struct ArrowArrayStream* stream,
                                   const headrace_observer* observer,
                                   const headrace_cancel* cancel, char** result);

/* Frees a result. NULL is allowed. */
HEADRACE_C_EXPORT void headrace_free(char* result);

#ifdef __cplusplus
}
#endif

#endif /* HEADRACE_C_H */
