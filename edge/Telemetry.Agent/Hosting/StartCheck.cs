using Telemetry.Agent.Configuration;
using Telemetry.Edge.Outbox.Sqlite;

namespace Telemetry.Agent.Hosting;

/// <summary>
/// What keeps an agent from starting, key by key, in words; changes nothing. <c>check</c> says it, and <c>run</c> ends
/// with it.
/// </summary>
internal static class StartCheck
{
    /// <summary>What can be seen at once.</summary>
    public static IEnumerable<string> Problems(AgentOptions options)
    {
        foreach (var problem in options.Inputs.SelectMany(input => input.StartProblems()))
        {
            yield return problem;
        }

        if (options.Journal.Length > 0 && FolderCheck.Problem("journal", options.Journal) is { } journal)
        {
            yield return journal;
        }
    }

    /// <summary>What opening the outbox would say; reads the whole file. Not beside an agent of this process.</summary>
    public static string? OutboxProblem(AgentOptions options) =>
        SqliteInspection.Problem(options.OutboxFile, options.Gateway, options.Outbox) is { } problem
            ? OutboxProblem(problem) : null;

    /// <summary>The sentence for a problem of the outbox.</summary>
    public static string OutboxProblem(string problem) => $"outbox.file: {problem}";
}
