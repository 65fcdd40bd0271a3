using System.Net.Http.Headers;
using Npgsql;
using Telemetry.SystemTests.Cluster;
using Telemetry.TestKit.Network;

namespace Telemetry.SystemTests.Windows;

/// <summary>
/// One gateway is cut off for a time while its readings go on, and drains; then a file of old readings is given to it.
/// What its windows and those of the others say meanwhile is read by SQL, as people do.
/// </summary>
public sealed class CutGateway(LocalCluster cluster, TimeSpan length)
{
    /// <summary>Within which time after their end windows of gateways that are connected are complete.</summary>
    public static readonly TimeSpan CompleteWithin = TimeSpan.FromSeconds(5);

    private const int OldReadings = 7;
    private const string Others = $"gateway <> '{LocalCluster.SiteGateway}'";
    private const string Cut = $"gateway = '{LocalCluster.SiteGateway}'";

    private static readonly TimeSpan LookEvery = TimeSpan.FromMilliseconds(250);
    private static readonly TimeSpan Within = TimeSpan.FromMinutes(2);

    private readonly List<TimeSpan> _delays = [];

    /// <summary>A cluster of a few gateways whose windows are one second wide.</summary>
    public static ClusterOptions Options { get; } = new()
    {
        FleetGateways = 3,
        ReadingsPerSecond = 50,
        UnstorableTextEvery = 0,
        OldTimeEvery = 0,
        DropEvery = 0,
        WithAlerts = false,
        SiteHasItsOwnLink = true,
        WindowSeconds = 1,
    };

    /// <summary>Of each look during the cut: how long the newest window that is not complete has ended.</summary>
    public IReadOnlyList<TimeSpan> DelaysOfOthers => _delays;

    /// <summary>The revisions after the file of old readings, one a line; see <see cref="LateExpected"/>.</summary>
    public IReadOnlyList<string> Late { get; private set; } = [];

    /// <summary>Runs it; returns what windows said.</summary>
    public async Task<CutGatewayReport> RunAsync(CancellationToken cancellationToken)
    {
        await using var database = NpgsqlDataSource.Create(cluster.Postgres.ConnectionString);
        await cluster.BeginAsync();
        await UntilAsync(
            $"SELECT count(DISTINCT gateway) = {cluster.Options.Gateways} FROM telemetry.windows WHERE complete");

        var cutAt = await ReadAsync<DateTime>("SELECT now()");
        cluster.SiteLink.Cut(CutKind.Silent);
        var completeMeanwhile = 0L;
        for (var end = DateTime.UtcNow + length; DateTime.UtcNow < end;)
        {
            await Task.Delay(LookEvery, cancellationToken);
            _delays.Add(TimeSpan.FromSeconds(await ReadAsync<double>($"""
                SELECT extract(epoch FROM max(
                    now() - coalesce(newest, now() - interval '1 min') - interval '1 s'))::double precision
                FROM telemetry.gateway g
                CROSS JOIN LATERAL (SELECT max(until) AS newest FROM telemetry.windows w
                                    WHERE w.gateway = g.gateway AND complete AND start > now() - interval '1 min') w
                WHERE {Others}
                """)));
            completeMeanwhile += await CountAsync($"{Cut} AND complete AND until > {At(cutAt)}");
        }

        var incomplete = await CountAsync($"{Cut} AND NOT complete");
        var incompleteOfOthers = await CountAsync(
            $"{Others} AND NOT complete AND until < now() - interval '{2 * CompleteWithin.TotalSeconds} s'");
        var healedAt = await ReadAsync<DateTime>("SELECT now()");
        cluster.SiteLink.Heal();
        await cluster.SiteSender.StopAsync();
        var ended = await ReadAsync<DateTime>("SELECT now()");

        // The window of the last readings ends up to a second after them.
        var last = At(ended.AddSeconds(1));
        await UntilAsync($"SELECT coalesce(bool_and(watermark > {last}), false) FROM telemetry.gateway WHERE {Cut}");

        var within = $"{Cut} AND metric = 'host.saw_tooth' AND start >= {At(cutAt)} AND until <= {At(healedAt)}";
        var report = new CutGatewayReport
        {
            CompleteMeanwhile = completeMeanwhile,
            Incomplete = incomplete,
            IncompleteOfOthers = incompleteOfOthers,
            Windows = await CountAsync(within),
            WindowsAfterwards = await CountAsync($"{within} AND complete AND revision = 0"),
            NotAsExpected = await CountAsync($"{Cut} AND (NOT complete OR revision <> 0)"),
            Seconds = (healedAt - cutAt).TotalSeconds,
        };
        Late = await SendOldAsync(cutAt + (length / 2));
        return report;

        async Task<IReadOnlyList<string>> SendOldAsync(DateTime at)
        {
            var start = new DateTime(at.Ticks - (at.Ticks % TimeSpan.TicksPerSecond), DateTimeKind.Utc);
            await PostAsync(start, cancellationToken);
            await UntilAsync($"SELECT count(*) > 0 FROM telemetry.window_revisions WHERE {Cut}");
            return await ListAsync($"""
                SELECT concat_ws('|', r.start = {At(start)}, r.metric, r.cause, r.readings, w.complete, w.revision,
                    f.stored, f.stored_at = r.at)
                FROM telemetry.window_revisions r
                JOIN telemetry.windows w USING (series, start)
                LEFT JOIN telemetry.frame_register f ON r.frame = concat(f.gateway, '/', to_hex(f.epoch), '/',
                    (ARRAY['critical', 'live', 'backlog'])[f.lane + 1], '/', f.first, '+', f.count)
                """);
        }

        async Task UntilAsync(string sql)
        {
            for (var until = DateTime.UtcNow + Within; !await ReadAsync<bool>(sql);)
            {
                if (DateTime.UtcNow > until)
                {
                    throw new TimeoutException($"it did not come true within {Within}: {sql}");
                }

                await Task.Delay(LookEvery, cancellationToken);
            }
        }

        Task<long> CountAsync(string where) => ReadAsync<long>($"SELECT count(*) FROM telemetry.windows WHERE {where}");

        async Task<T> ReadAsync<T>(string sql)
        {
            await using var command = database.CreateCommand(sql);
            return (T)(await command.ExecuteScalarAsync(cancellationToken))!;
        }

        async Task<IReadOnlyList<string>> ListAsync(string sql)
        {
            await using var command = database.CreateCommand(sql);
            await using var reader = await command.ExecuteReaderAsync(cancellationToken);
            var list = new List<string>();
            while (await reader.ReadAsync(cancellationToken))
            {
                list.Add(reader.GetString(0));
            }

            return list;
        }
    }

    /// <summary>
    /// What <see cref="Late"/> has to be: one revision of the one window, complete, by a frame of the register.
    /// </summary>
    public static string LateExpected { get; } = $"t|host.saw_tooth|late|{OldReadings}|t|1|{OldReadings}|t";

    private static string At(DateTime time) => $"timestamptz '{time:O}'";

    // Between the times of the readings that the window has.
    private async Task PostAsync(DateTime start, CancellationToken cancellationToken)
    {
        var first = (start - DateTime.UnixEpoch).Ticks / TimeSpan.TicksPerMicrosecond;
        var lines = Enumerable.Range(0, OldReadings).Select(
            i => $"host,source=proc,device=this-machine saw_tooth=-{i + 1} {first + (i * 100_003) + 1}");
        using var http = new HttpClient();
        using var request = new HttpRequestMessage(
            HttpMethod.Post, $"http://127.0.0.1:{cluster.SiteHttpPort}/api/v2/write?org=demo&bucket=demo&precision=us")
        {
            Content = new StringContent(string.Join('\n', lines)),
        };
        request.Headers.Authorization = new AuthenticationHeaderValue("Token", LocalCluster.Password);
        using var answer = await http.SendAsync(request, cancellationToken);
        answer.EnsureSuccessStatusCode();
    }
}
