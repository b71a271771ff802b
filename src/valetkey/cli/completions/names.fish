# Names: read from files, never evaluated; valetkey is not started.

function __valetkey_profiles
    set -l place $XDG_CONFIG_HOME
    string match -q '/*' -- $place; or set place $HOME/.config
    for file in $place/valetkey/profiles/*.json
        # An id stands for a name that cannot be a file's; it is not a name.
        string match -rq '/p-[0-9a-f]{16}\.json$' -- $file; or string replace -r '^.*/(.*)\.json$' '$1' -- $file
    end
end

function __valetkey_grants
    set -l place $XDG_CACHE_HOME
    string match -q '/*' -- $place; or set place $HOME/.cache
    test -r $place/valetkey/grants; and cat $place/valetkey/grants
end

# --profile A,B: the last of them.
function __valetkey_listed_profiles
    set -l before (string match -r '^.*,' -- (commandline -ct))
    for name in (__valetkey_profiles)
        echo "$before$name"
    end
end

function __valetkey_takes_name
    set -l words (commandline -opc)
    test (count $words) -ge 2; and contains -- $words[2] $argv; or return 1
    contains -- -- $words; and return 1
    test (count $words) -eq 2; and return 0
    contains -- $words[2] @SEVERAL@; and not string match -q -- '--*' $words[-1]
end

function __valetkey_runs
    set -l words (commandline -opc)
    test (count $words) -ge 3; and test $words[2] = exec; and contains -- -- $words
end

# The words of the command that is run.
function __valetkey_command
    set -l words (commandline -opc)
    set -l dashes (contains -i -- -- $words)
    complete -C (string join ' ' -- (string escape -- $words[(math $dashes + 1)..-1]) (commandline -ct))
end

complete -c valetkey -n '__valetkey_takes_name @PROFILES@' -f -a '(__valetkey_profiles)'
complete -c valetkey -n '__valetkey_takes_name @GRANTS@' -f -a '(__valetkey_grants)'
complete -c valetkey -n '__fish_valetkey_using_command exec' -l profile -x -a '(__valetkey_listed_profiles)'
complete -c valetkey -n __valetkey_runs -f -a '(__valetkey_command)'
