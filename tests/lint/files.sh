# SPDX-License-Identifier: GPL-2.0-or-later
#
# files.sh - which files are checked? Sourced by each check.
#
# Every list comes from git, with files not yet added and without those that
# were removed, so that a new file cannot be forgotten here. Checks run from
# the top of a tree: the self-test gives them small ones of its own.

set -eu
export LC_ALL=C

# with TOOL: what is not installed cannot find anything either
with() {
	command -v "$1" >/dev/null || {
		echo "$1 is not installed: tests/need lint"
		exit 1
	}
}

# a clone may belong to somebody else than who checks it
ls_files() {
	git -c safe.directory='*' ls-files "$@"
}

with git
if ! ls_files >/dev/null; then
	echo 'git cannot list the files of this tree'
	exit 1
fi

# files PATTERN...: all files of the tree whose path matches (git globs)
files() {
	ls_files --cached --others --exclude-standard -- "$@" |
		sort -u | while read -r f; do
		[ ! -f "$f" ] || printf '%s\n' "$f"
	done
}

c_files() {
	files '*.c' '*.h'
}

# scripts: whatever begins as a shell script, or is sourced by one
scripts() {
	files | while read -r f; do
		case $f in
		*.patch | tests/cases/*) continue ;;
		*.sh) printf '%s\n' "$f" ;;
		*) if head -n 1 "$f" | grep -qE '^#! ?/bin/(ba)?sh'; then
			printf '%s\n' "$f"
		fi ;;
		esac
	done
}

# complain PLACE TEXT: one line per mistake, as compilers write them
complain() {
	printf '%s: %s\n' "$1" "$2"
}

# verdict FILE: show the mistakes collected in FILE; fail if there are any
verdict() {
	cat "$1"
	if [ -s "$1" ]; then
		rm -f "$1"
		return 1
	fi
	rm -f "$1"
}
