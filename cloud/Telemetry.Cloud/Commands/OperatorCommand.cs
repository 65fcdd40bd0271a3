using Telemetry.Cloud.Configuration;
using Telemetry.Storage;
using Telemetry.Storage.Postgres;
using Telemetry.Storage.Postgres.Statements;

namespace Telemetry.Cloud.Commands;

/// <summary>What the commands that work on the database beside a cloud at work have in common.</summary>
internal static class OperatorCommand
{
    /// <summary>The exit code when something was not found or not done.</summary>
    public const int GoneWrong = 1;

    /// <summary>
    /// Does <paramref name="work"/> on the database of the settings; gives its exit code. When the database fails, says
    /// so and <paramref name="unchanged"/>: what then is as it was.
    /// </summary>
    public static async Task<int> RunAsync(
        CloudSettings settings, TextWriter errors, string unchanged, Func<OperatorDatabase, Task<int>> work,
        CancellationToken cancellationToken)
    {
        if (settings.Database is not { } options)
        {
            await errors.WriteLineAsync("database.connection: is missing");
            return GoneWrong;
        }

        try
        {
            await using var database = await OperatorDatabase.OpenAsync(options.ConnectionString, cancellationToken);
            return await work(database);
        }
        catch (Exception e) when (e is StoreException || StoreErrors.IsDatabases(e))
        {
            await errors.WriteLineAsync($"the database failed, {unchanged}: {e.Message}");
            return GoneWrong;
        }
    }
}
