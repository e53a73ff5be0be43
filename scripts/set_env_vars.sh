# Loads the variables of a file into the current shell:  . ./scripts/set_env_vars.sh [FILE]
#
# The file is .env in the current folder if none is named; it has one NAME=VALUE a line, and comments begin with a
# sharp. Nothing in it is run, so a value may hold anything. `./lz run` needs no such file where `aws sso login` or a
# profile gives credentials: ./lz run --profile NAME ...

_lz_file=${1:-.env}
if [ -f "$_lz_file" ]; then
    while IFS= read -r _lz_line || [ -n "$_lz_line" ]; do
        case $_lz_line in
            '' | '#'*) continue ;;
            *=*) ;;
            *) continue ;;
        esac
        _lz_name=${_lz_line%%=*}
        _lz_name=${_lz_name#export }
        case $_lz_name in
            '' | [0-9]* | *[!A-Za-z0-9_]*)
                printf '%s\n' "set_env_vars: \"$_lz_name\" is not the name of a variable" >&2
                continue
                ;;
        esac
        export "$_lz_name=${_lz_line#*=}"
    done <"$_lz_file"
    # The article's names are not those that AWS tools read.
    if [ -n "${AWS_REGION_NAME:-}" ] && [ -z "${AWS_DEFAULT_REGION:-}" ]; then
        export AWS_DEFAULT_REGION="$AWS_REGION_NAME"
    fi
else
    printf '%s\n' "set_env_vars: there is no file $_lz_file" >&2
fi
unset _lz_file _lz_line _lz_name
