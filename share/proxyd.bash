# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# Completion of proxyd(8). tests/share compares it with `proxyd -h`.

_proxyd() {
	local word=${COMP_WORDS[COMP_CWORD]}
	COMPREPLY=()
	if [[ ${COMP_WORDS[COMP_CWORD - 1]} == -[cf] ]]; then
		mapfile -t COMPREPLY < <(compgen -f -- "$word")
		return
	fi
	[[ ${COMP_WORDS[COMP_CWORD - 1]} == -w ]] && return
	mapfile -t COMPREPLY < <(compgen -W '-f -c -n -v -w -h -V' -- "$word")
}
complete -o filenames -F _proxyd proxyd
