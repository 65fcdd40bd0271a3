namespace Telemetry.Cloud.Commands.Forks;

/// <summary>What the command <c>forks</c> was asked for.</summary>
internal sealed record ForkArguments
{
    /// <summary>What a fork can have been, as docs/forks.md explains.</summary>
    public static readonly string[] Reasons = ["card-replaced", "image-restored", "cloned", "gateway-renamed", "other"];

    /// <summary><c>list</c> or <c>resolve</c>.</summary>
    public string Verb { get; private init; } = "";

    /// <summary>Whose forks are resolved.</summary>
    public string Gateway { get; private init; } = "";

    /// <summary>What the fork was.</summary>
    public string Reason { get; private init; } = "";

    /// <summary>The operator's words.</summary>
    public string Note { get; private init; } = "";

    /// <summary>Reads them; says what is wrong, or null.</summary>
    public static string? Read(ReadOnlySpan<string> words, out ForkArguments arguments)
    {
        arguments = new ForkArguments();
        switch (words)
        {
            case ["list"]:
                arguments = new ForkArguments { Verb = "list" };
                return null;
            case ["list", ..]:
                return "list takes no arguments";
            case ["resolve", var gateway, .. var options] when !gateway.StartsWith('-'):
                arguments = new ForkArguments { Verb = "resolve", Gateway = gateway };
                return arguments.Take(options, out arguments);
            case ["resolve", ..]:
                return "resolve needs a gateway";
            default:
                return "list or resolve is needed";
        }
    }

    private string? Take(ReadOnlySpan<string> options, out ForkArguments arguments)
    {
        arguments = this;
        for (var i = 0; i < options.Length; i += 2)
        {
            if (i + 1 == options.Length)
            {
                return $"{options[i]} needs a value";
            }

            switch (options[i])
            {
                case "--reason" when Reasons.Contains(options[i + 1]):
                    arguments = arguments with { Reason = options[i + 1] };
                    break;
                case "--reason":
                    return $"--reason: '{options[i + 1]}' is not allowed; one of {string.Join(", ", Reasons)} is";
                case "--note":
                    arguments = arguments with { Note = options[i + 1] };
                    break;
                default:
                    return $"{options[i]} is no option of forks";
            }
        }

        return arguments.Reason.Length == 0 ? "resolve needs --reason"
            : string.IsNullOrWhiteSpace(arguments.Note) ? "resolve needs --note: it stands in the audit" : null;
    }
}
