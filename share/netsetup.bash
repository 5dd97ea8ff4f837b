# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# Completion of netsetup(8): what its own help says, so there is no second list.

_netsetup() {
	local word=${COMP_WORDS[COMP_CWORD]} program=${COMP_WORDS[0]} usage
	COMPREPLY=()
	if [[ $COMP_CWORD -eq 1 ]]; then
		mapfile -t COMPREPLY < <(compgen -W "-h -V $("$program" -h |
			sed -n 's/^  \([a-z][a-z]*\) .*/\1/p')" -- "$word")
		return
	fi
	usage=$("$program" "${COMP_WORDS[1]}" -h 2>/dev/null)
	case ${COMP_WORDS[COMP_CWORD - 1]} in
	-f)
		mapfile -t COMPREPLY < <(compgen -f -- "$word")
		return
		;;
	-i)
		mapfile -t COMPREPLY < <(compgen -W "$(ls /sys/class/net)" \
			-- "$word")
		return
		;;
	--existing) usage='keep reset' ;;
	--confirm | --drain) usage='30s 60s 5m' ;;
	*) usage=$(grep -oE '\[--?[a-z]+' <<<"$usage" | tr -d '[') ;;
	esac
	mapfile -t COMPREPLY < <(compgen -W "$usage" -- "$word")
}
complete -o filenames -F _netsetup netsetup
