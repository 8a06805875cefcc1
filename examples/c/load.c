/* headrace from C: rows that this program makes, through an Arrow C stream into any target.
 *
 *   load TARGET TABLE ROWS
 *   load sqlite:numbers.sqlite numbers 1000000
 *
 * Ctrl-C stops the load and leaves the target as it was.
 */
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "headrace/c.h"

enum { kBatchRows = 10000, kTextBytes = 8 };

static headrace_cancel* cancel;

static void on_signal(int number) {
  (void)number;
  headrace_cancel_set(cancel);
}

/* The stream: two columns, id (int64) and name (utf8). */
struct numbers {
  int64_t next;
  int64_t end;
};

static void release_schema(struct ArrowSchema* schema) {
  for (int64_t i = 0; i < schema->n_children; ++i) {
    if (schema->children[i]->release != NULL) schema->children[i]->release(schema->children[i]);
    free(schema->children[i]);
  }
  free(schema->children);
  schema->release = NULL;
}

static void set_schema(struct ArrowSchema* out, const char* format, const char* name) {
  memset(out, 0, sizeof(*out));
  out->format = format;
  out->name = name;
  out->release = release_schema;
}

static int get_schema(struct ArrowArrayStream* stream, struct ArrowSchema* out) {
  (void)stream;
  struct ArrowSchema** children = malloc(2 * sizeof(*children));
  struct ArrowSchema* id = malloc(sizeof(*id));
  struct ArrowSchema* name = malloc(sizeof(*name));
  if (children == NULL || id == NULL || name == NULL) {
    free(children);
    free(id);
    free(name);
    return ENOMEM;
  }
  set_schema(id, "l", "id");
  set_schema(name, "u", "name");
  set_schema(out, "+s", "");
  out->n_children = 2;
  out->children = children;
  children[0] = id;
  children[1] = name;
  return 0;
}

/* An array and its buffers are one piece of memory, private_data. */
static void release_array(struct ArrowArray* array) {
  for (int64_t i = 0; i < array->n_children; ++i) {
    if (array->children[i]->release != NULL) array->children[i]->release(array->children[i]);
  }
  free(array->private_data);
  array->release = NULL;
}

struct batch {
  struct ArrowArray id, name;
  struct ArrowArray* children[2];
  const void* no_buffers[1];
  const void* id_buffers[2];
  const void* name_buffers[3];
  int64_t ids[kBatchRows];
  int32_t offsets[kBatchRows + 1];
  char texts[kBatchRows * kTextBytes + 1];
};

static void set_array(struct ArrowArray* out, int64_t length, const void** buffers, int64_t count) {
  memset(out, 0, sizeof(*out));
  out->length = length;
  out->n_buffers = count;
  out->buffers = buffers;
  out->release = release_array;
}

static int get_next(struct ArrowArrayStream* stream, struct ArrowArray* out) {
  struct numbers* numbers = stream->private_data;
  memset(out, 0, sizeof(*out));
  if (numbers->next == numbers->end) return 0; /* the end: a released array */
  struct batch* batch = calloc(1, sizeof(*batch));
  if (batch == NULL) return ENOMEM;
  int64_t rows = 0;
  for (; rows < kBatchRows && numbers->next < numbers->end; ++rows, ++numbers->next) {
    batch->ids[rows] = numbers->next;
    batch->offsets[rows + 1] = batch->offsets[rows] +
        snprintf(batch->texts + batch->offsets[rows], kTextBytes + 1, "n%06" PRId64,
                 numbers->next % 1000000);
  }
  batch->id_buffers[1] = batch->ids;
  batch->name_buffers[1] = batch->offsets;
  batch->name_buffers[2] = batch->texts;
  set_array(&batch->id, rows, batch->id_buffers, 2);
  set_array(&batch->name, rows, batch->name_buffers, 3);
  batch->children[0] = &batch->id;
  batch->children[1] = &batch->name;
  set_array(out, rows, batch->no_buffers, 1);
  out->n_children = 2;
  out->children = batch->children;
  out->private_data = batch;
  return 0;
}

static const char* get_last_error(struct ArrowArrayStream* stream) {
  (void)stream;
  return NULL;
}

static void release_stream(struct ArrowArrayStream* stream) {
  free(stream->private_data);
  stream->release = NULL;
}

static int open_numbers(int64_t rows, struct ArrowArrayStream* out) {
  struct numbers* numbers = malloc(sizeof(*numbers));
  if (numbers == NULL) return ENOMEM;
  numbers->next = 0;
  numbers->end = rows;
  memset(out, 0, sizeof(*out));
  out->get_schema = get_schema;
  out->get_next = get_next;
  out->get_last_error = get_last_error;
  out->release = release_stream;
  out->private_data = numbers;
  return 0;
}

static void log_line(void* user, const char* line) { fprintf(user, "%s\n", line); }

int main(int argc, char** argv) {
  if (argc != 4 || strpbrk(argv[1], "\"\\") != NULL || strpbrk(argv[2], "\"\\") != NULL) {
    fprintf(stderr, "usage: load TARGET TABLE ROWS\n");
    return 2;
  }
  char request[2048];
  const int length =
      snprintf(request, sizeof(request),
               "{\"to\": \"%s\", \"table\": \"%s\", \"mode\": \"replace\", \"source_rows\": %s}",
               argv[1], argv[2], argv[3]);
  struct ArrowArrayStream stream;
  cancel = headrace_cancel_new();
  if (cancel == NULL || length >= (int)sizeof(request) ||
      open_numbers(strtoll(argv[3], NULL, 10), &stream) != 0) {
    fprintf(stderr, "load: out of memory\n");
    headrace_cancel_free(cancel);
    return 1;
  }
  signal(SIGINT, on_signal);

  const headrace_observer observer = {sizeof(observer), stderr, log_line, NULL};
  char* report = NULL;
  const int code = headrace_run("load", request, &stream, &observer, cancel, &report);
  if (report != NULL) puts(report);
  headrace_free(report);
  headrace_cancel_free(cancel);
  return code;
}
