using System.Globalization;
using Npgsql;
using Telemetry.Cloud.Configuration;
using Telemetry.Storage;
using Telemetry.Storage.Postgres.Maintenance;
using Telemetry.Storage.Postgres.Migrations;
using Telemetry.Storage.Postgres.Statements;

namespace Telemetry.Cloud.Commands.Forks;

/// <summary>
/// The command <c>forks</c>: lists the forks that are shown, and ends them by an operator's word, beside a cloud at
/// work. The exit code is 0 when all went well, 1 when there was nothing to resolve or the database failed.
/// </summary>
internal sealed class ForksCommand(CloudSettings settings, TextWriter output, TextWriter errors)
{
    private const int GoneWrong = 1;

    public async Task<int> RunAsync(ForkArguments arguments, CancellationToken cancellationToken)
    {
        if (settings.Database is null)
        {
            await errors.WriteLineAsync("database.connection: is missing");
            return GoneWrong;
        }

        try
        {
            await using var database = NpgsqlDataSource.Create(settings.Database.ConnectionString);
            await using (var connection = await database.OpenConnectionAsync(cancellationToken))
            {
                await MigrationRunner.CheckAsync(connection, migrate: false, cancellationToken);
            }

            var forks = new ForkResolution(database);
            return arguments.Gateway is null
                ? await ListAsync(forks, cancellationToken)
                : await ResolveAsync(forks, arguments.Gateway, arguments, cancellationToken);
        }
        catch (Exception e) when (e is StoreException || StoreErrors.IsDatabases(e))
        {
            await errors.WriteLineAsync($"the database failed, nothing was changed: {e.Message}");
            return GoneWrong;
        }
    }

    private async Task<int> ListAsync(ForkResolution forks, CancellationToken cancellationToken)
    {
        foreach (var fork in await forks.ListAsync(cancellationToken))
        {
            foreach (var line in fork.What.Split('\n'))
            {
                await output.WriteLineAsync(string.Create(CultureInfo.InvariantCulture, $"{fork.Gateway,-16}  {line}"));
            }
        }

        return 0;
    }

    private async Task<int> ResolveAsync(
        ForkResolution forks, string gateway, ForkArguments arguments, CancellationToken cancellationToken)
    {
        var was = await forks.ResolveAsync(
            gateway, arguments.Reason, arguments.Note, Environment.UserName, cancellationToken);
        if (was is null)
        {
            await errors.WriteLineAsync($"gateway {gateway} shows no fork");
            return GoneWrong;
        }

        await output.WriteLineAsync($"{gateway}: resolved as {arguments.Reason}: {was.Replace('\n', ' ')}");
        return 0;
    }
}
