#compdef rampdeck
# Completion of rampdeck for zsh. Drawn from the program's own options: python -m console.completion.draw

_rampdeck_completion() {
    _arguments \
        '(-h --help)'{-h,--help}'[show this help message and exit]' \
        '--config[the configuration; otherwise it is looked for]: :_files' \
        '--policy[a policy file instead of the one in the repository]: :_files' \
        '--json[print one JSON document]' \
        '--read-only[show everything, command nothing]' \
        '--ascii[marks and bars without Unicode]' \
        '--no-mouse[leave the mouse to the terminal]' \
        '1: :(bash zsh fish)'
}

_rampdeck_ledger_export() {
    _arguments \
        '(-h --help)'{-h,--help}'[show this help message and exit]' \
        '--config[the configuration; otherwise it is looked for]: :_files' \
        '--policy[a policy file instead of the one in the repository]: :_files' \
        '--json[print one JSON document]' \
        '--read-only[show everything, command nothing]' \
        '--ascii[marks and bars without Unicode]' \
        '--no-mouse[leave the mouse to the terminal]' \
        '--ledger[sqlite\:////path/to/file or postgresql\://host/name]: : ' \
        '--kind[only this kind, such as latch-opened]: :(acknowledged alarm alarm-suppressed approval-recorded approval-refused approval-rejected approval-revoked baseline burn-in committed confirmation-failed converged dark denied diverged drill external-change gap genesis incident intent latch-clear-refused latch-cleared latch-opened lease note outcome permit plan-requested policy-adopted reason roster-adopted seal)' \
        '--actor[only this actor]: : ' \
        '--stage[only this stage]: : ' \
        '--intent[only this intent and what became of it]: : ' \
        '--since[ISO 8601; without a zone it is UTC]: : ' \
        '--until[ISO 8601; entries before this time]: : ' \
        '--text[only entries whose text holds this, in any case]: : ' \
        '--format[jsonl is the canonical text (default)]: :(jsonl csv)'
}

_rampdeck_ledger_verify() {
    _arguments \
        '(-h --help)'{-h,--help}'[show this help message and exit]' \
        '--config[the configuration; otherwise it is looked for]: :_files' \
        '--policy[a policy file instead of the one in the repository]: :_files' \
        '--json[print one JSON document]' \
        '--read-only[show everything, command nothing]' \
        '--ascii[marks and bars without Unicode]' \
        '--no-mouse[leave the mouse to the terminal]' \
        '--ledger[sqlite\:////path/to/file or postgresql\://host/name]: : ' \
        '--anchor[a stage commit that vouches for an entry; its trailer Rampdeck-Ledger gives number and hash]: : '
}

_rampdeck_ledger_show() {
    _arguments \
        '(-h --help)'{-h,--help}'[show this help message and exit]' \
        '--config[the configuration; otherwise it is looked for]: :_files' \
        '--policy[a policy file instead of the one in the repository]: :_files' \
        '--json[print one JSON document]' \
        '--read-only[show everything, command nothing]' \
        '--ascii[marks and bars without Unicode]' \
        '--no-mouse[leave the mouse to the terminal]' \
        '--ledger[sqlite\:////path/to/file or postgresql\://host/name]: : ' \
        '1: : '
}

_rampdeck_ledger_list() {
    _arguments \
        '(-h --help)'{-h,--help}'[show this help message and exit]' \
        '--config[the configuration; otherwise it is looked for]: :_files' \
        '--policy[a policy file instead of the one in the repository]: :_files' \
        '--json[print one JSON document]' \
        '--read-only[show everything, command nothing]' \
        '--ascii[marks and bars without Unicode]' \
        '--no-mouse[leave the mouse to the terminal]' \
        '--ledger[sqlite\:////path/to/file or postgresql\://host/name]: : ' \
        '--kind[only this kind, such as latch-opened]: :(acknowledged alarm alarm-suppressed approval-recorded approval-refused approval-rejected approval-revoked baseline burn-in committed confirmation-failed converged dark denied diverged drill external-change gap genesis incident intent latch-clear-refused latch-cleared latch-opened lease note outcome permit plan-requested policy-adopted reason roster-adopted seal)' \
        '--actor[only this actor]: : ' \
        '--stage[only this stage]: : ' \
        '--intent[only this intent and what became of it]: : ' \
        '--since[ISO 8601; without a zone it is UTC]: : ' \
        '--until[ISO 8601; entries before this time]: : ' \
        '--text[only entries whose text holds this, in any case]: : ' \
        '--limit[how many at most (50)]: : '
}

_rampdeck_ledger() {
    local context state state_descr line
    typeset -A opt_args
    local -a verbs=(
        'list:the newest entries, oldest first'
        'show:one entry, whole'
        'verify:is it the ledger that was written? 0 yes, 1 no'
        'export:every entry, or the chosen ones, on standard output'
    )
    _arguments -C \
        '(-h --help)'{-h,--help}'[show this help message and exit]' \
        '1: :->verb' \
        '*:: :->rest'
    case "$state" in
        (verb) _describe verb verbs ;;
        (rest) case "$line[1]" in
            (list) _rampdeck_ledger_list ;;
            (show) _rampdeck_ledger_show ;;
            (verify) _rampdeck_ledger_verify ;;
            (export) _rampdeck_ledger_export ;;
        esac ;;
    esac
}

_rampdeck_drill_list() {
    _arguments \
        '(-h --help)'{-h,--help}'[show this help message and exit]' \
        '--config[the configuration; otherwise it is looked for]: :_files' \
        '--policy[a policy file instead of the one in the repository]: :_files' \
        '--json[print one JSON document]' \
        '--read-only[show everything, command nothing]' \
        '--ascii[marks and bars without Unicode]' \
        '--no-mouse[leave the mouse to the terminal]'
}

_rampdeck_drill() {
    local context state state_descr line
    typeset -A opt_args
    local -a verbs=(
        'list:drills and what counts'
    )
    _arguments -C \
        '(-h --help)'{-h,--help}'[show this help message and exit]' \
        '--config[the configuration; otherwise it is looked for]: :_files' \
        '--policy[a policy file instead of the one in the repository]: :_files' \
        '--json[print one JSON document]' \
        '--read-only[show everything, command nothing]' \
        '--ascii[marks and bars without Unicode]' \
        '--no-mouse[leave the mouse to the terminal]' \
        '--mode[tabletop touches nothing; paper fires for real]: :(tabletop paper)' \
        '--kind[what is rehearsed]: :(kill rollback)' \
        '--to[the stage a rollback returns to; otherwise today'\''s]: : ' \
        '--path[how the act is fired]: :(key command trigger hangup)' \
        '--inject[a fault on the paper target, and what must hold\: stale-metric (the trigger'\''s metric stands still\: STALE, never ok, and nothing fires on it); nan-metric (the trigger'\''s metric is not a number\: unknown, never ok, and nothing fires on it); clock-skew (the trigger'\''s metric comes from the future\: SKEWED by name, and nothing fires on it); push-refused (the remote refuses every push\: the venue holds the kill, Git is named not verified); ledger-full (the ledger'\''s disk is full\: the kill goes on, spills, and its evidence joins later); half-cancels (every second cancel gives no answer\: no order counts as gone before the venue says so); self-heal-reverts (the GitOps controller undoes the kill\: it is seen and named, and the venue still refuses)]: :(stale-metric nan-metric clock-skew push-refused ledger-full half-cancels self-heal-reverts)' \
        '1: :->verb' \
        '*:: :->rest'
    case "$state" in
        (verb) _describe verb verbs ;;
        (rest) case "$line[1]" in
            (list) _rampdeck_drill_list ;;
        esac ;;
    esac
}

_rampdeck_burnin_waive() {
    _arguments \
        '(-h --help)'{-h,--help}'[show this help message and exit]' \
        '--config[the configuration; otherwise it is looked for]: :_files' \
        '--policy[a policy file instead of the one in the repository]: :_files' \
        '--json[print one JSON document]' \
        '--read-only[show everything, command nothing]' \
        '--ascii[marks and bars without Unicode]' \
        '--no-mouse[leave the mouse to the terminal]' \
        '--reason[why it does not matter in this run]: : ' \
        '--approval[otherwise those in the inbox]: : ' \
        '--ask[only ask for the approvals, by the inbox]' \
        '(-o --output)'{-o,--output}'[only ask for the approvals, by this file]: :_files' \
        '1: : ' \
        '2: : '
}

_rampdeck_burnin_extend() {
    _arguments \
        '(-h --help)'{-h,--help}'[show this help message and exit]' \
        '--config[the configuration; otherwise it is looked for]: :_files' \
        '--policy[a policy file instead of the one in the repository]: :_files' \
        '--json[print one JSON document]' \
        '--read-only[show everything, command nothing]' \
        '--ascii[marks and bars without Unicode]' \
        '--no-mouse[leave the mouse to the terminal]' \
        '--for[market time, such as '\''2 sessions'\'']: : ' \
        '--reason[why more time will help]: : ' \
        '1: : '
}

_rampdeck_burnin() {
    local context state state_descr line
    typeset -A opt_args
    local -a verbs=(
        'extend:more market time for one that ended INCONCLUSIVE; once'
        'waive:let a run pass without one performance item; approved'
    )
    _arguments -C \
        '(-h --help)'{-h,--help}'[show this help message and exit]' \
        '1: :->verb' \
        '*:: :->rest'
    case "$state" in
        (verb) _describe verb verbs ;;
        (rest) case "$line[1]" in
            (extend) _rampdeck_burnin_extend ;;
            (waive) _rampdeck_burnin_waive ;;
        esac ;;
    esac
}

_rampdeck_note() {
    _arguments \
        '(-h --help)'{-h,--help}'[show this help message and exit]' \
        '--config[the configuration; otherwise it is looked for]: :_files' \
        '--policy[a policy file instead of the one in the repository]: :_files' \
        '--json[print one JSON document]' \
        '--read-only[show everything, command nothing]' \
        '--ascii[marks and bars without Unicode]' \
        '--no-mouse[leave the mouse to the terminal]' \
        '--about[what it is about, such as a latch or an order]: : ' \
        '--reason[it is the reason that the newest way down still owes]' \
        '1: : '
}

_rampdeck_ack() {
    _arguments \
        '(-h --help)'{-h,--help}'[show this help message and exit]' \
        '--config[the configuration; otherwise it is looked for]: :_files' \
        '--policy[a policy file instead of the one in the repository]: :_files' \
        '--json[print one JSON document]' \
        '--read-only[show everything, command nothing]' \
        '--ascii[marks and bars without Unicode]' \
        '--no-mouse[leave the mouse to the terminal]' \
        '--text[what you know of it]: : ' \
        '1: : '
}

_rampdeck_incident_export() {
    _arguments \
        '(-h --help)'{-h,--help}'[show this help message and exit]' \
        '--config[the configuration; otherwise it is looked for]: :_files' \
        '--policy[a policy file instead of the one in the repository]: :_files' \
        '--json[print one JSON document]' \
        '--read-only[show everything, command nothing]' \
        '--ascii[marks and bars without Unicode]' \
        '--no-mouse[leave the mouse to the terminal]' \
        '--to[a new folder; otherwise INC-1 here]: :_files' \
        '--force[replace the folder when it exists]' \
        '1: : '
}

_rampdeck_incident_resolve() {
    _arguments \
        '(-h --help)'{-h,--help}'[show this help message and exit]' \
        '--config[the configuration; otherwise it is looked for]: :_files' \
        '--policy[a policy file instead of the one in the repository]: :_files' \
        '--json[print one JSON document]' \
        '--read-only[show everything, command nothing]' \
        '--ascii[marks and bars without Unicode]' \
        '--no-mouse[leave the mouse to the terminal]' \
        '1: : ' \
        '2: : '
}

_rampdeck_incident_declare() {
    _arguments \
        '(-h --help)'{-h,--help}'[show this help message and exit]' \
        '--config[the configuration; otherwise it is looked for]: :_files' \
        '--policy[a policy file instead of the one in the repository]: :_files' \
        '--json[print one JSON document]' \
        '--read-only[show everything, command nothing]' \
        '--ascii[marks and bars without Unicode]' \
        '--no-mouse[leave the mouse to the terminal]' \
        '1: :(SEV1 SEV2 SEV3)' \
        '2: : '
}

_rampdeck_incident() {
    local context state state_descr line
    typeset -A opt_args
    local -a verbs=(
        'declare:declare one; it holds at once what its severity says'
        'resolve:it is over; what it holds is cleared by '\''clear'\'''
        'export:its postmortem: a page in Markdown and its plots'
    )
    _arguments -C \
        '(-h --help)'{-h,--help}'[show this help message and exit]' \
        '1: :->verb' \
        '*:: :->rest'
    case "$state" in
        (verb) _describe verb verbs ;;
        (rest) case "$line[1]" in
            (declare) _rampdeck_incident_declare ;;
            (resolve) _rampdeck_incident_resolve ;;
            (export) _rampdeck_incident_export ;;
        esac ;;
    esac
}

_rampdeck_permit_reduce() {
    _arguments \
        '(-h --help)'{-h,--help}'[show this help message and exit]' \
        '--config[the configuration; otherwise it is looked for]: :_files' \
        '--policy[a policy file instead of the one in the repository]: :_files' \
        '--json[print one JSON document]' \
        '--read-only[show everything, command nothing]' \
        '--ascii[marks and bars without Unicode]' \
        '--no-mouse[leave the mouse to the terminal]' \
        '--for[how long, such as 10m (10m)]: : ' \
        '--reason[why]: : ' \
        '1: : ' \
        '2: : '
}

_rampdeck_resume() {
    _arguments \
        '(-h --help)'{-h,--help}'[show this help message and exit]' \
        '--config[the configuration; otherwise it is looked for]: :_files' \
        '--policy[a policy file instead of the one in the repository]: :_files' \
        '--json[print one JSON document]' \
        '--read-only[show everything, command nothing]' \
        '--ascii[marks and bars without Unicode]' \
        '--no-mouse[leave the mouse to the terminal]' \
        '--confirm["RESUME name L1"; without it nothing is written]: : '
}

_rampdeck_restore() {
    _arguments \
        '(-h --help)'{-h,--help}'[show this help message and exit]' \
        '--config[the configuration; otherwise it is looked for]: :_files' \
        '--policy[a policy file instead of the one in the repository]: :_files' \
        '--json[print one JSON document]' \
        '--read-only[show everything, command nothing]' \
        '--ascii[marks and bars without Unicode]' \
        '--no-mouse[leave the mouse to the terminal]' \
        '--confirm["RESTORE name L0"]: : ' \
        '--approval[otherwise those in the inbox]: : ' \
        '--ask[only ask for the approvals, by the inbox]' \
        '(-o --output)'{-o,--output}'[only ask for the approvals, by this file]: :_files'
}

_rampdeck_clear() {
    _arguments \
        '(-h --help)'{-h,--help}'[show this help message and exit]' \
        '--config[the configuration; otherwise it is looked for]: :_files' \
        '--policy[a policy file instead of the one in the repository]: :_files' \
        '--json[print one JSON document]' \
        '--read-only[show everything, command nothing]' \
        '--ascii[marks and bars without Unicode]' \
        '--no-mouse[leave the mouse to the terminal]' \
        '--because[what it was; some latches need it]: : ' \
        '--approval[otherwise those in the inbox]: : ' \
        '--ask[only ask for the approvals, by the inbox]' \
        '(-o --output)'{-o,--output}'[only ask for the approvals, by this file]: :_files' \
        '1: : '
}

_rampdeck_panic() {
    _arguments \
        '(-h --help)'{-h,--help}'[show this help message and exit]' \
        '--config[the configuration; otherwise it is looked for]: :_files' \
        '--policy[a policy file instead of the one in the repository]: :_files' \
        '--json[print one JSON document]' \
        '--read-only[show everything, command nothing]' \
        '--ascii[marks and bars without Unicode]' \
        '--no-mouse[leave the mouse to the terminal]' \
        '--to[step-down\: the stage; otherwise one below the newest act'\''s]: : ' \
        '--reason[may be given afterwards\: rampdeck note --reason TEXT]: : ' \
        '--print[only the commands to do it by hand]' \
        '1: :(block cancel step-down verify)'
}

_rampdeck_kill() {
    _arguments \
        '(-h --help)'{-h,--help}'[show this help message and exit]' \
        '--config[the configuration; otherwise it is looked for]: :_files' \
        '--policy[a policy file instead of the one in the repository]: :_files' \
        '--json[print one JSON document]' \
        '--read-only[show everything, command nothing]' \
        '--ascii[marks and bars without Unicode]' \
        '--no-mouse[leave the mouse to the terminal]' \
        '--confirm["KILL name"]: : ' \
        '--reason[may be given afterwards\: rampdeck note --reason TEXT]: : ' \
        '--print[only the commands to do it by hand]'
}

_rampdeck_rollback() {
    _arguments \
        '(-h --help)'{-h,--help}'[show this help message and exit]' \
        '--config[the configuration; otherwise it is looked for]: :_files' \
        '--policy[a policy file instead of the one in the repository]: :_files' \
        '--json[print one JSON document]' \
        '--read-only[show everything, command nothing]' \
        '--ascii[marks and bars without Unicode]' \
        '--no-mouse[leave the mouse to the terminal]' \
        '--to[otherwise the stage of the phrase]: : ' \
        '--confirm["ROLLBACK L0"]: : ' \
        '--reason[may be given afterwards]: : ' \
        '--print[only the commands to do it by hand]'
}

_rampdeck_freeze() {
    _arguments \
        '(-h --help)'{-h,--help}'[show this help message and exit]' \
        '--config[the configuration; otherwise it is looked for]: :_files' \
        '--policy[a policy file instead of the one in the repository]: :_files' \
        '--json[print one JSON document]' \
        '--read-only[show everything, command nothing]' \
        '--ascii[marks and bars without Unicode]' \
        '--no-mouse[leave the mouse to the terminal]' \
        '--confirm[FREEZE]: : ' \
        '--reason[why]: : '
}

_rampdeck_apply() {
    _arguments \
        '(-h --help)'{-h,--help}'[show this help message and exit]' \
        '--config[the configuration; otherwise it is looked for]: :_files' \
        '--policy[a policy file instead of the one in the repository]: :_files' \
        '--json[print one JSON document]' \
        '--read-only[show everything, command nothing]' \
        '--ascii[marks and bars without Unicode]' \
        '--no-mouse[leave the mouse to the terminal]' \
        '--approval[otherwise those in the inbox]: : ' \
        '--confirm["ADVANCE name L0 L1 GROSS 5,000"]: : ' \
        '1: :_files'
}

_rampdeck_revoke() {
    _arguments \
        '(-h --help)'{-h,--help}'[show this help message and exit]' \
        '--config[the configuration; otherwise it is looked for]: :_files' \
        '--policy[a policy file instead of the one in the repository]: :_files' \
        '--json[print one JSON document]' \
        '--read-only[show everything, command nothing]' \
        '--ascii[marks and bars without Unicode]' \
        '--no-mouse[leave the mouse to the terminal]' \
        '--of[whose approval; your own otherwise. Others'\'' only by risk]: : ' \
        '--reason[why, for whoever asks again]: : ' \
        '1: : '
}

_rampdeck_approve() {
    _arguments \
        '(-h --help)'{-h,--help}'[show this help message and exit]' \
        '--config[the configuration; otherwise it is looked for]: :_files' \
        '--policy[a policy file instead of the one in the repository]: :_files' \
        '--json[print one JSON document]' \
        '--read-only[show everything, command nothing]' \
        '--ascii[marks and bars without Unicode]' \
        '--no-mouse[leave the mouse to the terminal]' \
        '--key[another key than identity.key]: :_files' \
        '--reject[say no; needs --reason]' \
        '--reason[why not]: : ' \
        '--yes[do not ask before signing]' \
        '1: :_files'
}

_rampdeck_plan_show() {
    _arguments \
        '(-h --help)'{-h,--help}'[show this help message and exit]' \
        '--config[the configuration; otherwise it is looked for]: :_files' \
        '--policy[a policy file instead of the one in the repository]: :_files' \
        '--json[print one JSON document]' \
        '--read-only[show everything, command nothing]' \
        '--ascii[marks and bars without Unicode]' \
        '--no-mouse[leave the mouse to the terminal]' \
        '--patch[print the edits alone, as a patch for '\''git apply'\'']' \
        '1: :_files'
}

_rampdeck_plan() {
    local context state state_descr line
    typeset -A opt_args
    local -a verbs=(
        'show:show a plan'\''s file'
    )
    _arguments -C \
        '(-h --help)'{-h,--help}'[show this help message and exit]' \
        '--config[the configuration; otherwise it is looked for]: :_files' \
        '--policy[a policy file instead of the one in the repository]: :_files' \
        '--json[print one JSON document]' \
        '--read-only[show everything, command nothing]' \
        '--ascii[marks and bars without Unicode]' \
        '--no-mouse[leave the mouse to the terminal]' \
        '--to[the stage to go to]: : ' \
        '(-o --output)'{-o,--output}'[write the plan here, also when it is not allowed]: :_files' \
        '--patch[print the edits alone, as a patch for '\''git apply'\'']' \
        '1: :->verb' \
        '*:: :->rest'
    case "$state" in
        (verb) _describe verb verbs ;;
        (rest) case "$line[1]" in
            (show) _rampdeck_plan_show ;;
        esac ;;
    esac
}

_rampdeck_simulate() {
    _arguments \
        '(-h --help)'{-h,--help}'[show this help message and exit]' \
        '--config[the configuration; otherwise it is looked for]: :_files' \
        '--policy[a policy file instead of the one in the repository]: :_files' \
        '--json[print one JSON document]' \
        '--read-only[show everything, command nothing]' \
        '--ascii[marks and bars without Unicode]' \
        '--no-mouse[leave the mouse to the terminal]' \
        '1: : '
}

_rampdeck_policy_adopt() {
    _arguments \
        '(-h --help)'{-h,--help}'[show this help message and exit]' \
        '--config[the configuration; otherwise it is looked for]: :_files' \
        '--policy[a policy file instead of the one in the repository]: :_files' \
        '--json[print one JSON document]' \
        '--read-only[show everything, command nothing]' \
        '--ascii[marks and bars without Unicode]' \
        '--no-mouse[leave the mouse to the terminal]' \
        '--approval[for what is looser than what is in force]: : '
}

_rampdeck_policy_init() {
    _arguments \
        '(-h --help)'{-h,--help}'[show this help message and exit]' \
        '--config[the configuration; otherwise it is looked for]: :_files' \
        '--policy[a policy file instead of the one in the repository]: :_files' \
        '--json[print one JSON document]' \
        '--read-only[show everything, command nothing]' \
        '--ascii[marks and bars without Unicode]' \
        '--no-mouse[leave the mouse to the terminal]' \
        '(-o --output)'{-o,--output}'[where both files go; else the policy beside the manifests]: :_files' \
        '--yes[take every proposal without asking]' \
        '1: :_files'
}

_rampdeck_policy_schema() {
    _arguments \
        '(-h --help)'{-h,--help}'[show this help message and exit]' \
        '--config[the configuration; otherwise it is looked for]: :_files' \
        '--policy[a policy file instead of the one in the repository]: :_files' \
        '--json[print one JSON document]' \
        '--read-only[show everything, command nothing]' \
        '--ascii[marks and bars without Unicode]' \
        '--no-mouse[leave the mouse to the terminal]'
}

_rampdeck_policy_check() {
    _arguments \
        '(-h --help)'{-h,--help}'[show this help message and exit]' \
        '--config[the configuration; otherwise it is looked for]: :_files' \
        '--policy[a policy file instead of the one in the repository]: :_files' \
        '--json[print one JSON document]' \
        '--read-only[show everything, command nothing]' \
        '--ascii[marks and bars without Unicode]' \
        '--no-mouse[leave the mouse to the terminal]' \
        '1: :_files'
}

_rampdeck_policy() {
    local context state state_descr line
    typeset -A opt_args
    local -a verbs=(
        'check:every problem by its line; 0 when it loads, 2 when not'
        'schema:the JSON Schema of a policy file'
        'init:propose a policy and a configuration from manifests'
        'adopt:put the policy and roster at the branch'\''s head in force'
    )
    _arguments -C \
        '(-h --help)'{-h,--help}'[show this help message and exit]' \
        '--config[the configuration; otherwise it is looked for]: :_files' \
        '--policy[a policy file instead of the one in the repository]: :_files' \
        '--json[print one JSON document]' \
        '--read-only[show everything, command nothing]' \
        '--ascii[marks and bars without Unicode]' \
        '--no-mouse[leave the mouse to the terminal]' \
        '1: :->verb' \
        '*:: :->rest'
    case "$state" in
        (verb) _describe verb verbs ;;
        (rest) case "$line[1]" in
            (check) _rampdeck_policy_check ;;
            (schema) _rampdeck_policy_schema ;;
            (init) _rampdeck_policy_init ;;
            (adopt) _rampdeck_policy_adopt ;;
        esac ;;
    esac
}

_rampdeck_doctor() {
    _arguments \
        '(-h --help)'{-h,--help}'[show this help message and exit]' \
        '--config[the configuration; otherwise it is looked for]: :_files' \
        '--policy[a policy file instead of the one in the repository]: :_files' \
        '--json[print one JSON document]' \
        '--read-only[show everything, command nothing]' \
        '--ascii[marks and bars without Unicode]' \
        '--no-mouse[leave the mouse to the terminal]' \
        '--wait[how long one check may take]: : '
}

_rampdeck_config_check() {
    _arguments \
        '(-h --help)'{-h,--help}'[show this help message and exit]' \
        '--config[the configuration; otherwise it is looked for]: :_files' \
        '--policy[a policy file instead of the one in the repository]: :_files' \
        '--json[print one JSON document]' \
        '--read-only[show everything, command nothing]' \
        '--ascii[marks and bars without Unicode]' \
        '--no-mouse[leave the mouse to the terminal]'
}

_rampdeck_config_show() {
    _arguments \
        '(-h --help)'{-h,--help}'[show this help message and exit]' \
        '--config[the configuration; otherwise it is looked for]: :_files' \
        '--policy[a policy file instead of the one in the repository]: :_files' \
        '--json[print one JSON document]' \
        '--read-only[show everything, command nothing]' \
        '--ascii[marks and bars without Unicode]' \
        '--no-mouse[leave the mouse to the terminal]'
}

_rampdeck_config() {
    local context state state_descr line
    typeset -A opt_args
    local -a verbs=(
        'show:each value and where it came from; no secret is printed'
        'check:every problem by its line; 0 when there is none, else 2'
    )
    _arguments -C \
        '(-h --help)'{-h,--help}'[show this help message and exit]' \
        '--config[the configuration; otherwise it is looked for]: :_files' \
        '--policy[a policy file instead of the one in the repository]: :_files' \
        '--json[print one JSON document]' \
        '--read-only[show everything, command nothing]' \
        '--ascii[marks and bars without Unicode]' \
        '--no-mouse[leave the mouse to the terminal]' \
        '1: :->verb' \
        '*:: :->rest'
    case "$state" in
        (verb) _describe verb verbs ;;
        (rest) case "$line[1]" in
            (show) _rampdeck_config_show ;;
            (check) _rampdeck_config_check ;;
        esac ;;
    esac
}

_rampdeck_drift() {
    _arguments \
        '(-h --help)'{-h,--help}'[show this help message and exit]' \
        '--config[the configuration; otherwise it is looked for]: :_files' \
        '--policy[a policy file instead of the one in the repository]: :_files' \
        '--json[print one JSON document]' \
        '--read-only[show everything, command nothing]' \
        '--ascii[marks and bars without Unicode]' \
        '--no-mouse[leave the mouse to the terminal]'
}

_rampdeck_watch() {
    _arguments \
        '(-h --help)'{-h,--help}'[show this help message and exit]' \
        '--config[the configuration; otherwise it is looked for]: :_files' \
        '--policy[a policy file instead of the one in the repository]: :_files' \
        '--json[print one JSON document]' \
        '--read-only[show everything, command nothing]' \
        '--ascii[marks and bars without Unicode]' \
        '--no-mouse[leave the mouse to the terminal]' \
        '--act[reduce risk by itself when a trigger asks for it]' \
        '--take-over[relieve whoever watches now, and act]'
}

_rampdeck_status() {
    _arguments \
        '(-h --help)'{-h,--help}'[show this help message and exit]' \
        '--config[the configuration; otherwise it is looked for]: :_files' \
        '--policy[a policy file instead of the one in the repository]: :_files' \
        '--json[print one JSON document]' \
        '--read-only[show everything, command nothing]' \
        '--ascii[marks and bars without Unicode]' \
        '--no-mouse[leave the mouse to the terminal]' \
        '--since[also what happened since\: ISO 8601, or a span such as 2h]: : ' \
        '--signal[one signal over time, and where its number comes from]: : ' \
        '--window[how much of it (default\: %(default)s)]: : ' \
        '--book[of another book than the one that panels show]: : ' \
        '--plain[sentences without columns, for screen readers]' \
        '--watch[with --plain\: go on and say what changes, until stopped]'
}

_rampdeck_inject() {
    _arguments \
        '(-h --help)'{-h,--help}'[show this help message and exit]' \
        '--config[the configuration; otherwise it is looked for]: :_files' \
        '--policy[a policy file instead of the one in the repository]: :_files' \
        '--json[print one JSON document]' \
        '--read-only[show everything, command nothing]' \
        '--ascii[marks and bars without Unicode]' \
        '--no-mouse[leave the mouse to the terminal]' \
        '--dir[the demo'\''s folder, instead of its configuration]: :_files' \
        '1: : '
}

_rampdeck_demo() {
    _arguments \
        '(-h --help)'{-h,--help}'[show this help message and exit]' \
        '--config[the configuration; otherwise it is looked for]: :_files' \
        '--policy[a policy file instead of the one in the repository]: :_files' \
        '--json[print one JSON document]' \
        '--read-only[show everything, command nothing]' \
        '--ascii[marks and bars without Unicode]' \
        '--no-mouse[leave the mouse to the terminal]' \
        '--scenario[calm, incident, loss-limit, reconciliation-mismatch, risk-breach, stale-data, tca-degradation, wrong-account]: : ' \
        '--seed[seed of the venues'\'' walk (7)]: : ' \
        '--speed[market minutes per wall minute (20)]: : ' \
        '--dir[keep the world in this folder]: :_files' \
        '--no-approver[nobody answers the inbox\: rehearse the hand-over]' \
        '--headless[no screen; print what happened]' \
        '--until[with --headless\: wall seconds (60)]: : '
}

_rampdeck() {
    local context state state_descr line
    typeset -A opt_args
    local -a verbs=(
        'demo:the whole product on an embedded world; --headless prints its events'
        'inject:a fault in a demo that runs; lists them without a name'
        'status:where the target stands, every signal, what holds it and what comes next'
        'watch:evaluate each second; with --act reduce risk by itself'
        'drift:stage, Git and runtime, value by value'
        'config:show each value and where it came from; check tells every problem at once'
        'doctor:check every dependency and permission, with the fix in one line each'
        'policy:init FOLDER, check FILE, schema, adopt'
        'simulate:play a scenario by the engine itself, with its expectations'
        'plan:rehearse a move to a stage; show FILE; never writes to Git'
        'approve:sign or reject a plan'
        'revoke:take back an approval before it is used'
        'apply:carry out an approved plan'
        'freeze:hold every advance'
        'rollback:go down to a stage, now'
        'kill:block and cancel at the venue, kill switch and the lowest stage in Git, now'
        'panic:block, cancel, step down, verify, with half of the infrastructure gone'
        'clear:end a latch whose cause is gone'
        'restore:come back from KILLED, to the lowest stage'
        'resume:lift what a cleared halt has left; without --confirm only a dry run'
        'permit-reduce:let so much of a symbol be closed while no order may go out'
        'incident:declare SEVERITY TEXT, resolve INCIDENT TEXT, export INCIDENT'
        'ack:an alarm is seen: quiet, not cleared'
        'note:a remark for whoever reads the ledger later'
        'burnin:extend or waive what a burn-in could not decide'
        'drill:rehearse a kill or a rollback on the paper target; list'
        'ledger:list, show, verify, export what was decided'
        'completion:print the completion script of bash, zsh or fish'
    )
    _arguments -C \
        '(-h --help)'{-h,--help}'[show this help message and exit]' \
        '--config[the configuration; otherwise it is looked for]: :_files' \
        '--policy[a policy file instead of the one in the repository]: :_files' \
        '--json[print one JSON document]' \
        '--read-only[show everything, command nothing]' \
        '--ascii[marks and bars without Unicode]' \
        '--no-mouse[leave the mouse to the terminal]' \
        '1: :->verb' \
        '*:: :->rest'
    case "$state" in
        (verb) _describe verb verbs ;;
        (rest) case "$line[1]" in
            (demo) _rampdeck_demo ;;
            (inject) _rampdeck_inject ;;
            (status) _rampdeck_status ;;
            (watch) _rampdeck_watch ;;
            (drift) _rampdeck_drift ;;
            (config) _rampdeck_config ;;
            (doctor) _rampdeck_doctor ;;
            (policy) _rampdeck_policy ;;
            (simulate) _rampdeck_simulate ;;
            (plan) _rampdeck_plan ;;
            (approve) _rampdeck_approve ;;
            (revoke) _rampdeck_revoke ;;
            (apply) _rampdeck_apply ;;
            (freeze) _rampdeck_freeze ;;
            (rollback) _rampdeck_rollback ;;
            (kill) _rampdeck_kill ;;
            (panic) _rampdeck_panic ;;
            (clear) _rampdeck_clear ;;
            (restore) _rampdeck_restore ;;
            (resume) _rampdeck_resume ;;
            (permit-reduce) _rampdeck_permit_reduce ;;
            (incident) _rampdeck_incident ;;
            (ack) _rampdeck_ack ;;
            (note) _rampdeck_note ;;
            (burnin) _rampdeck_burnin ;;
            (drill) _rampdeck_drill ;;
            (ledger) _rampdeck_ledger ;;
            (completion) _rampdeck_completion ;;
        esac ;;
    esac
}

if [[ "$funcstack[1]" == "_rampdeck" ]]; then
    _rampdeck "$@"
else
    compdef _rampdeck rampdeck
fi
