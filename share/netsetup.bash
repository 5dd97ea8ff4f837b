# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# Completion of netsetup(8). tests/share compares it with `netsetup -h`.

_netsetup() {
	local word=${COMP_WORDS[COMP_CWORD]} words=
	COMPREPLY=()
	if [[ $COMP_CWORD -eq 1 ]]; then
		words='check plan apply status remove export -h -V'
	elif [[ ${COMP_WORDS[COMP_CWORD - 1]} == -f ]]; then
		mapfile -t COMPREPLY < <(compgen -f -- "$word")
		return
	else
		case ${COMP_WORDS[1]} in
		check) words='-f --print' ;;
		plan) words='-f --json' ;;
		export) words='-f' ;;
		apply) words='-f --force' ;;
		status) words='--json' ;;
		esac
	fi
	mapfile -t COMPREPLY < <(compgen -W "$words" -- "$word")
}
complete -o filenames -F _netsetup netsetup
