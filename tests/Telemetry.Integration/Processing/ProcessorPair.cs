using System.Globalization;
using Npgsql;
using Telemetry.Integration.Cloud;
using Telemetry.Processing;
using Telemetry.Streams.JetStream;
using Telemetry.TestKit.Contracts;
using Telemetry.TestKit.Servers;

namespace Telemetry.Integration.Processing;

/// <summary>Two processor processes on one database and one log, and frames that flow.</summary>
internal sealed class ProcessorPair : IAsyncDisposable
{
    public const int Partitions = 4;
    public static readonly TimeSpan Lease = new ProcessorOptions().Lease;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly NatsServer _nats;
    private readonly JetStreamConnection _connection;
    private readonly NpgsqlDataSource _database;
    private readonly CancellationTokenSource _stop = new();
    private Task _flow = Task.CompletedTask;

    private ProcessorPair(NatsServer nats, PostgresServer postgres, JetStreamConnection connection)
    {
        (_nats, Postgres, _connection) = (nats, postgres, connection);
        _database = NpgsqlDataSource.Create(postgres.ConnectionString);
        Source = new FrameSource(new JetStreamFrameLog(
            connection, new JetStreamFrameLogOptions(), SampleInstallation.Of(Partitions)), Partitions);
        (A, B) = (Process("a"), Process("b"));
    }

    public CloudProcess A { get; }

    public CloudProcess B { get; }

    public PostgresServer Postgres { get; }

    public FrameSource Source { get; }

    public static async Task<ProcessorPair> Start()
    {
        var nats = await NatsServer.Start();
        return new ProcessorPair(
            nats, await PostgresServer.Start(null),
            await JetStreamConnection.ConnectAsync(new NatsOptions { Servers = [nats.Url] }));
    }

    /// <summary>Starts both, waits until each owns half, and lets readings flow to all partitions.</summary>
    public async Task Begin(IReadOnlyDictionary<string, string>? environmentOfA = null)
    {
        await A.Start(environment: environmentOfA);
        await A.WaitUntilReady();
        await B.Start();
        await B.WaitUntilReady();
        await UntilSpread();
        var gateways = Source.Gateways(ofPartition: 2);
        await Source.SendSchemas(gateways);
        _flow = Source.Flow(gateways, readings: 50, TimeSpan.FromMilliseconds(50), _stop.Token);
    }

    public Task UntilSpread() => Until(
        "each owns half", async () => (await Owners()).Count(owner => owner == "a") == Partitions / 2
            && (await Owners()).Count(owner => owner == "b") == Partitions / 2);

    /// <summary>The owners of the partitions whose leases hold, in partition order.</summary>
    public async Task<IReadOnlyList<string>> Owners() => await Column(
        "SELECT owner FROM telemetry.partition WHERE lease_until > now() ORDER BY partition", r => r.GetString(0));

    /// <summary>The names in the leases, whether they hold or not, in partition order.</summary>
    public async Task<IReadOnlyList<string>> Names() => await Column(
        "SELECT owner FROM telemetry.partition ORDER BY partition", r => r.GetString(0));

    /// <summary>Readings stored of each partition.</summary>
    public async Task<IReadOnlyList<long>> Stored() => await Column(
        """
        SELECT coalesce(sum(stored), 0)::bigint FROM generate_series(0, 3) p
        LEFT JOIN telemetry.gateway g ON g.partition = p GROUP BY p ORDER BY p
        """,
        r => r.GetInt64(0));

    public async Task<IReadOnlyList<T>> Column<T>(string sql, Func<NpgsqlDataReader, T> map)
    {
        await using var command = _database.CreateCommand(sql);
        await using var reader = await command.ExecuteReaderAsync();
        var rows = new List<T>();
        while (await reader.ReadAsync())
        {
            rows.Add(map(reader));
        }

        return rows;
    }

    /// <summary>
    /// For how long each partition at most stored nothing, looked at for a while.
    /// </summary>
    public async Task<TimeSpan[]> Stalls(TimeSpan length)
    {
        var began = TimeProvider.System.GetTimestamp();
        var (last, stalls) = (await Stored(), new TimeSpan[Partitions]);
        var grew = Enumerable.Repeat(began, Partitions).ToArray();
        while (TimeProvider.System.GetElapsedTime(began) < length)
        {
            await Task.Delay(50);
            var now = await Stored();
            for (var partition = 0; partition < Partitions; partition++)
            {
                var stall = TimeProvider.System.GetElapsedTime(grew[partition]);
                stalls[partition] = stall > stalls[partition] ? stall : stalls[partition];
                grew[partition] = now[partition] > last[partition]
                    ? TimeProvider.System.GetTimestamp() : grew[partition];
            }

            last = now;
        }

        return stalls;
    }

    /// <summary>Ends the flow and waits until all that was sent is stored.</summary>
    public async Task UntilStored()
    {
        await _stop.CancelAsync();
        await _flow;
        await Until("all is stored", async () => (await Stored()).Sum() >= Source.Sent);
    }

    public static async Task Until(string what, Func<Task<bool>> holds, TimeSpan? patience = null)
    {
        var began = TimeProvider.System.GetTimestamp();
        while (!await holds())
        {
            Assert.True(
                TimeProvider.System.GetElapsedTime(began) < (patience ?? Patience), $"it did not come true: {what}");
            await Task.Delay(50);
        }
    }

    /// <summary>True while a process stands still for a SIGSTOP.</summary>
    public static bool IsFrozen(int processId)
    {
        var stat = File.ReadAllText(string.Create(CultureInfo.InvariantCulture, $"/proc/{processId}/stat"));
        return stat[(stat.LastIndexOf(')') + 2)..].StartsWith('T');
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _flow;
        await A.DisposeAsync();
        await B.DisposeAsync();
        await Source.DisposeAsync();
        await _database.DisposeAsync();
        await _connection.DisposeAsync();
        await _nats.DisposeAsync();
        await Postgres.DisposeAsync();
        _stop.Dispose();
    }

    private CloudProcess Process(string owner)
    {
        var process = new CloudProcess(_nats.Url, Postgres.ConnectionString);
        process.Configuration = $$"""
            {
              "role": "processor",
              "partitions": {{Partitions}},
              "nats": { "servers": [ "{{_nats.Url}}" ] },
              "database": { "connection": "{{Postgres.ConnectionString}}" },
              "processor": {
                "owner": "{{owner}}", "workers": 1
              },
              "http": { "port": {{process.HttpPort}} }
            }
            """;
        return process;
    }
}
