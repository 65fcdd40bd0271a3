using System.CommandLine;

namespace Telemetry.Cloud.Commands;

/// <summary>Options whose value is not a text.</summary>
internal static class ParsedOption
{
    /// <summary>
    /// An option with the value that <paramref name="parse"/> makes of the text; an error where that is null, which
    /// names what to <paramref name="use"/>.
    /// </summary>
    public static Option<T?> Create<T>(
        string name, string helpName, string description, Func<string, T?> parse, string use)
        where T : struct => new(name)
        {
            HelpName = helpName,
            Description = description,
            Arity = ArgumentArity.ExactlyOne,
            CustomParser = result =>
            {
                var text = result.Tokens[0].Value;
                var value = parse(text);
                if (value is null)
                {
                    result.AddError($"{name}: '{text}' is not allowed; use {use}");
                }

                return value;
            },
        };
}
