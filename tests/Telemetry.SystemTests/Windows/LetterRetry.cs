using Telemetry.Cloud.Commands.DeadLetters;
using Telemetry.Cloud.Configuration;
using Telemetry.Storage.Postgres;

namespace Telemetry.SystemTests.Windows;

/// <summary>The command <c>dead-letters retry</c>, in this process.</summary>
internal static class LetterRetry
{
    /// <summary>Retries one letter; true when it was stored.</summary>
    public static async Task<bool> RunAsync(string connectionString, long letter)
    {
        var settings = new CloudSettings
        {
            Database = new PostgresStoreOptions { ConnectionString = connectionString },
        };
        var command = new DeadLettersCommand(settings, TextWriter.Null, TextWriter.Null);
        var verb = DeadLettersVerb.Create(
            TimeProvider.System, (arguments, _, stop) => command.RunAsync(arguments, stop));
        return await verb.Parse(["retry", $"{letter}"]).InvokeAsync() == 0;
    }
}
