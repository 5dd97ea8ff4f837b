# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# Completion of proxyctl(8): what its own help says, so there is no second list.

_proxyctl() {
	local word=${COMP_WORDS[COMP_CWORD]} program=${COMP_WORDS[0]} usage
	COMPREPLY=()
	if [[ $COMP_CWORD -eq 1 ]]; then
		mapfile -t COMPREPLY < <(compgen -W "-h -V $("$program" -h |
			sed -n 's/^  \([a-z][a-z-]*\) .*/\1/p')" -- "$word")
		return
	fi
	usage=$("$program" "${COMP_WORDS[1]}" -h 2>/dev/null)
	case ${COMP_WORDS[COMP_CWORD - 1]} in
	-s)
		mapfile -t COMPREPLY < <(compgen -f -- "$word")
		return
		;;
	--service | --pool)
		usage=${COMP_WORDS[COMP_CWORD - 1]#--}
		usage=$("$program" services --json 2>/dev/null |
			sed -n "s/^ *\"$usage\": \"\(.*\)\",*/\1/p")
		;;
	--client) usage= ;;
	*)
		usage=$(grep -oE '\[--?[a-z]+|[a-z]+(\|[a-z]+)+' <<<"$usage" |
			tr '[|' '  ')
		;;
	esac
	mapfile -t COMPREPLY < <(compgen -W "$usage" -- "$word")
}
complete -o filenames -F _proxyctl proxyctl
