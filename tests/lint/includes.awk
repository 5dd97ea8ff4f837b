# SPDX-License-Identifier: GPL-2.0-or-later
#
# Reads the names of C files; `modules` names the file with the module list.

function complain(text)
{
	printf "%s:%d: %s\n", file, line, text
}

function top(path)
{
	sub(/\/.*/, "", path)
	return path
}

# the place of an include among the others: it must not go down in a file
function rank_of(name)
{
	if (name == own ".h" || name == subject)
		return 0
	if (name ~ /^</)
		return 1
	if (top(name) == "lib")
		return 2
	if (top(name) == "policy")
		return 3
	if (top(name) != "tests")
		return 4
	return 5
}

# the header of what a test is about: tests/lib/test_str.c is lib/str.h's; and
# of what several files share: tests/lab/lab_net.c is tests/lab/lab.h's
function subject_of(file)
{
	if (file ~ /^tests\/.*\/test_[a-z_]+\.c$/) {
		sub(/^tests\//, "", file)
		sub(/test_/, "", file)
		sub(/c$/, "h", file)
		return file
	}
	return file ~ /^tests\// && sub(/_[a-z]+\.c$/, ".h", file) ? file : ""
}

# may a file below `from` include one below `to`?
function may_see(from, to)
{
	if (from == "tests" || from == to || to == "lib")
		return 1
	return to == "policy" && (from == "netsetup" || from == "proxyd")
}

function check_floor(name,    module)
{
	module = name
	sub(/\.[a-z]+$/, "", module)
	if (top(file) == "tests") {
		if (top(name) != "tests" && !(module in floor))
			complain("no module has \"" name "\"")
	} else if (!may_see(top(file), top(name))) {
		complain(top(file) "/ may not include \"" name "\"")
	} else if (!(module in floor)) {
		complain("no module has \"" name "\"")
	} else if (own in floor && floor[module] > floor[own]) {
		complain("includes upward: " module " is listed after " own)
	} else if (top(name) == "policy" && top(file) != "policy" &&
	    name != "policy/policy.h") {
		complain("of policy/ only policy.h is for others")
	}
}

function check_include(name,    rank)
{
	rank = rank_of(name)
	if (own_header && !seen && rank != 0)
		complain("own header \"" own ".h\" is not the first")
	seen = 1
	if (rank < last_rank)
		complain(name " out of order: own header, <...>, " \
		    "\"lib/\", \"policy/\", own folder")
	else if (rank == 1 && last_rank == 1 && name < last_name)
		complain(name " is not sorted")
	last_rank = rank
	last_name = name
	if (rank != 1)
		check_floor(name)
}

function exists(path,    text, r)
{
	r = (getline text < path) >= 0
	close(path)
	return r
}

function check_file(    text, name)
{
	own = file
	sub(/\.[ch]$/, "", own)
	subject = subject_of(file)
	own_header = file ~ /\.c$/ && exists(own ".h")
	seen = line = last_rank = 0
	last_name = ""
	if (top(file) != "tests" && !(own in floor))
		complain("is in no list of the Makefile")
	while ((getline text < file) > 0) {
		line++
		if (text !~ /^#[ \t]*include/)
			continue
		name = text
		sub(/^#[ \t]*include[ \t]*/, "", name)
		if (name ~ /^"/) {
			sub(/^"/, "", name)
			sub(/".*/, "", name)
		} else {
			sub(/>.*/, ">", name)
		}
		check_include(name)
	}
	close(file)
}

BEGIN {
	while ((getline name < modules) > 0)
		floor[name] = ++n
}

{
	file = $0
	check_file()
}
