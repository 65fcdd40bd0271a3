using Npgsql;
using Telemetry.SystemTests.Cluster;
using Telemetry.SystemTests.Scenarios;
using Telemetry.SystemTests.Showing;

namespace Telemetry.SystemTests.Windows;

/// <summary>
/// The processor kills itself again and again between the fold of readings and the commit of their parts, while the
/// database refuses a reading now and then, and dead letters are retried. Then the database is put back once.
/// </summary>
public sealed class FoldKills(LocalCluster cluster, int kills, int retries)
{
    // Parts are written before the readings that they are of. After the commit, parts are in memory alone.
    private static readonly string[] Points = ["in-parts", "after-parts", "in-copy", "after-copy", "after-commit"];

    private const int NthMax = 6;

    private const string Begun = $"""
        SELECT count(*) = 6 FROM telemetry.series WHERE gateway = '{LocalCluster.SiteGateway}'
        """;

    // All readings of the site for a while; and one of its saw tooth in 30, which stays a dead letter.
    private const string RefuseSql = $"""
        DO $$ BEGIN
            EXECUTE format(
                'ALTER TABLE telemetry.reading ADD CONSTRAINT no_site CHECK (series <> ALL (%L::integer[])) NOT VALID',
                ARRAY(SELECT id FROM telemetry.series WHERE gateway = '{LocalCluster.SiteGateway}'));
            EXECUTE format(
                'ALTER TABLE telemetry.reading ADD CONSTRAINT no_peak CHECK (series <> %s OR f < 5.8) NOT VALID',
                (SELECT id FROM telemetry.series
                 WHERE gateway = '{LocalCluster.SiteGateway}' AND metric = 'host.saw_tooth'));
        END $$
        """;

    private const string LettersSql = """
        SELECT id FROM telemetry.dead_letter
        WHERE retried_at IS NULL AND readings > 0 AND error LIKE '%no_site%' ORDER BY id LIMIT $1
        """;

    private const string InMemorySql = """
        SELECT (SELECT count(*) FROM telemetry.gateway WHERE window_from IS NOT NULL),
               (SELECT count(*) FROM telemetry.reading)
                   - (SELECT coalesce(sum(readings), 0) FROM telemetry.window_part)::bigint
        """;

    private static readonly TimeSpan Within = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan LookEvery = TimeSpan.FromMilliseconds(100);

    private readonly List<FoldKill> _kills = [];

    /// <summary>A cluster without alerts, whose windows are two seconds wide.</summary>
    public static ClusterOptions Options { get; } = new()
    {
        FleetGateways = 3,
        ReadingsPerSecond = 100,
        WithAlerts = false,
        WindowSeconds = 2,
        ProcessorOwner = "processor",
    };

    /// <summary>Of each kill: the point, and what was in the processor's memory alone.</summary>
    public IReadOnlyList<FoldKill> Kills => _kills;

    /// <summary>Dead letters whose retry stored them.</summary>
    public int Retried { get; private set; }

    /// <summary>Readings that the database refused while the processor was being killed.</summary>
    public long Poison { get; private set; }

    /// <summary>Runs it; afterwards everything is drained, and the processor still runs.</summary>
    public async Task RunAsync(LivePicture picture, CancellationToken cancellationToken)
    {
        await using var database = NpgsqlDataSource.Create(cluster.Postgres.ConnectionString);
        await cluster.BeginAsync();
        await UntilAsync(database, "the site's series are registered", Begun, cancellationToken);
        await RefuseAsync(database, cancellationToken);
        var retrying = RetryAsync(database, cancellationToken);
        await KillAsync(database, picture, cancellationToken);
        await retrying;
        Poison = await ReadAsync<long>(
            database, "SELECT count(*) FROM telemetry.dead_letter WHERE error LIKE '%no_peak%'", cancellationToken);
        await cluster.EndAsync();
        await cluster.WaitUntilDrainedAsync(Within, cancellationToken);

        NpgsqlConnection.ClearAllPools();
        var putBack = new DatabaseScenarios(cluster, picture).All
            .Single(scenario => scenario.Name == DatabaseScenarios.OnlyLogHolds);
        await putBack.Play(cancellationToken);
        await cluster.WaitUntilDrainedAsync(Within, cancellationToken);
    }

    private async Task RefuseAsync(NpgsqlDataSource database, CancellationToken cancellationToken)
    {
        await cluster.ExecuteAsync(RefuseSql, cancellationToken);
        await UntilAsync(
            database, "enough readings are refused",
            $"SELECT count(*) >= {retries} FROM telemetry.dead_letter WHERE error LIKE '%no_site%'", cancellationToken);
        await cluster.ExecuteAsync("ALTER TABLE telemetry.reading DROP CONSTRAINT no_site", cancellationToken);
    }

    private async Task KillAsync(NpgsqlDataSource database, LivePicture picture, CancellationToken cancellationToken)
    {
        await cluster.Processor.StopAsync();
        for (var kill = 0; kill < kills; kill++)
        {
            var point = Points[kill % Points.Length];
            await cluster.StartProcessorAsync($"{point}:{1 + (kill % NthMax)}");
            await cluster.Processor.WaitForCrashAsync(Within);
            await using var command = database.CreateCommand(InMemorySql);
            await using var reader = await command.ExecuteReaderAsync(cancellationToken);
            await reader.ReadAsync(cancellationToken);
            _kills.Add(new FoldKill(point, reader.GetInt64(0), reader.GetInt64(1)));
            await picture.SayAsync($"{_kills[^1]}");
        }

        await cluster.StartProcessorAsync();
    }

    private async Task RetryAsync(NpgsqlDataSource database, CancellationToken cancellationToken)
    {
        await using var command = database.CreateCommand(LettersSql);
        command.Parameters.AddWithValue(retries);
        var letters = new List<long>();
        await using (var reader = await command.ExecuteReaderAsync(cancellationToken))
        {
            while (await reader.ReadAsync(cancellationToken))
            {
                letters.Add(reader.GetInt64(0));
            }
        }

        foreach (var letter in letters)
        {
            Retried += await LetterRetry.RunAsync(cluster.Postgres.ConnectionString, letter) ? 1 : 0;

            // Spread over all kills.
            while (_kills.Count < kills && _kills.Count * retries < Retried * kills)
            {
                await Task.Delay(LookEvery, cancellationToken);
            }
        }
    }

    private static async Task UntilAsync(
        NpgsqlDataSource database, string what, string sql, CancellationToken cancellationToken)
    {
        for (var until = DateTime.UtcNow + Within; !await ReadAsync<bool>(database, sql, cancellationToken);)
        {
            if (DateTime.UtcNow > until)
            {
                throw new TimeoutException($"not within {Within}: {what}");
            }

            await Task.Delay(LookEvery, cancellationToken);
        }
    }

    private static async Task<T> ReadAsync<T>(
        NpgsqlDataSource database, string sql, CancellationToken cancellationToken)
    {
        await using var command = database.CreateCommand(sql);
        return (T)(await command.ExecuteScalarAsync(cancellationToken))!;
    }
}
