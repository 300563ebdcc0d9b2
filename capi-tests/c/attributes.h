/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* The attributes of ../abi/attributes.tsv, whose rows run.sh makes C of. */
#ifndef ATTRIBUTES_H
#define ATTRIBUTES_H

#include "check.h"

enum kind { PLAIN, INERT, FIXED, TEXT, CONTEXT, DATA, LABELS, TUPLE, EITHER };

struct attribute {
	int number;
	size_t bytes;
	enum kind kind;
	unsigned int class;
	int members[3]; /* of a group; -1: none */
};

static const struct attribute entry_attributes[] = {
#include "entry.inc"
};

static const struct attribute attribute_groups[] = {
#include "group.inc"
};

static const struct attribute expectation_attributes[] = {
#include "expectation.inc"
};

#endif
