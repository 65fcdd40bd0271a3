using System.Collections;

namespace Telemetry.Edge.Configuration;

/// <summary>What an edge program was asked to do: <c>run --config FILE</c> or <c>check --config FILE</c>.</summary>
internal sealed record CommandLine(bool Check, string ConfigurationFile)
{
    /// <summary>Null when the arguments are none of ours.</summary>
    public static CommandLine? Parse(IReadOnlyList<string> arguments) => arguments switch
    {
        ["run", "--config", var file] => new CommandLine(false, file),
        ["check", "--config", var file] => new CommandLine(true, file),
        _ => null,
    };

    /// <summary>Reads the options and prints what is wrong with them, by key; null when something is.</summary>
    public T? Read<T>(Func<ConfigurationReader, T> read, IDictionary environment, TextWriter errors)
        where T : class
    {
        var reader = new ConfigurationReader(ConfigurationTree.Load(ConfigurationFile, environment));
        var options = read(reader);
        foreach (var problem in reader.Problems)
        {
            errors.WriteLine(problem);
        }

        return reader.Problems.Count == 0 ? options : null;
    }
}
