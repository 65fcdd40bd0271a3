using System.Text.Json;
using Npgsql;
using Telemetry.Model.Installations;
using Telemetry.Streams.JetStream;
using Telemetry.SystemTests.Cluster;
using Telemetry.TestKit.Servers;

namespace Telemetry.Benchmarks;

/// <summary>
/// What gateways send to, as processes of its own on this machine: nats-server, one cloud process and, where that
/// stores, PostgreSQL with commits forced to the disk.
/// </summary>
internal sealed class Backend : IAsyncDisposable
{
    public const string Password = "bench";

    private const int Partitions = 16;

    private static readonly TimeSpan QuietFor = TimeSpan.FromSeconds(3);

    private readonly TemporaryFolder _folder = new();
    private readonly DotnetProcess _cloud;
    private readonly int _cloudPort = FreePort.Next();
    private NatsServer? _nats;
    private long _removed;

    private Backend() => _cloud = Program("cloud", "Telemetry.Cloud");

    public int MqttPort { get; } = FreePort.Next();

    public string NatsUrl => _nats!.Url;

    public PostgresServer? Postgres { get; private set; }

    public StatusClient Status { get; } = new();

    public TimeSpan NatsCpu => CpuTime.Of(_nats!.Process.Id);

    public TimeSpan CloudCpu => CpuTime.Of(_cloud.Id!.Value);

    public TimeSpan PostgresCpu => Postgres is null ? default : CpuTime.OfFamily(Postgres.Process.Id);

    /// <summary>
    /// Starts it; <paramref name="postgres"/>: the settings of the database, null for an ingress without one.
    /// <paramref name="role"/> and <paramref name="rules"/>, a file of alert rules, are the cloud process'.
    /// </summary>
    public static async Task<Backend> StartAsync(
        IEnumerable<string> gateways, IReadOnlyDictionary<string, string>? postgres, string? role = null,
        string rules = "")
    {
        var backend = new Backend();
        try
        {
            backend._nats = await NatsServer.Start();
            if (postgres is not null)
            {
                backend.Postgres = await PostgresServer.Start(
                    new PostgresOptions { ForceToDisk = true, Settings = postgres });
            }

            await backend.StartCloudAsync(gateways, role, rules);
            return backend;
        }
        catch
        {
            await backend.DisposeAsync();
            throw;
        }
    }

    /// <summary>Ends the cloud process in order; what it had not stored stays in the log.</summary>
    public Task StopCloudAsync() => _cloud.StopAsync();

    /// <summary>Starts the cloud process again, with the configuration that it had.</summary>
    public Task StartCloudAsync() =>
        _cloud.StartAsync(async c => await Status.TextAsync(_cloudPort, "/health/ready", c) is not null);

    /// <summary>A file in the run's folder.</summary>
    public string At(string name) => _folder.At(name);

    /// <summary>One of our programs, compiled at its best, with a configuration file of its name.</summary>
    public DotnetProcess Program(string name, string program) =>
        new(name, program, _folder.At(name), "run", "--config", _folder.At(name + ".json")) { AsInProduction = true };

    public void Write(string file, object content) =>
        File.WriteAllText(_folder.At(file), JsonSerializer.Serialize(content));

    /// <summary>A counter of the cloud process by its name in /metrics.</summary>
    public async Task<double> CounterAsync(string name) => await Status.CounterAsync(_cloudPort, name, default) ?? 0;

    /// <summary>How many readings are stored, as the ledger says.</summary>
    public Task<long> StoredAsync() => NumberAsync("SELECT coalesce(sum(stored), 0)::bigint FROM telemetry.gateway");

    /// <summary>
    /// Waits until what is in the log is stored, nothing being sent any more; throws unless the database then holds as
    /// many readings as the ledger says; removes the readings, so that a long run fills no disk.
    /// </summary>
    public async Task CheckAndRemoveStoredAsync()
    {
        var stored = await StoredAsync();
        for (var before = -1L; stored != before; stored = await StoredAsync())
        {
            before = stored;
            await Task.Delay(QuietFor);
        }

        var rows = await NumberAsync("SELECT count(*) FROM telemetry.reading");
        if (rows + _removed != stored)
        {
            throw new InvalidOperationException(
                $"{rows} readings in the database and {_removed} removed, {stored} stored as the ledger says");
        }

        await ExecuteAsync("TRUNCATE telemetry.reading");
        _removed = stored;
    }

    /// <summary>Has the database write what it still has to, so that it does not do so later.</summary>
    public Task CheckpointAsync() => ExecuteAsync("CHECKPOINT");

    public async ValueTask DisposeAsync()
    {
        await _cloud.DisposeAsync();
        NpgsqlConnection.ClearAllPools();
        if (_nats is not null)
        {
            await _nats.DisposeAsync();
        }

        if (Postgres is not null)
        {
            await Postgres.DisposeAsync();
        }

        Status.Dispose();
        await _folder.DisposeAsync();
    }

    /// <summary>Asks the database for one number.</summary>
    public async Task<long> NumberAsync(string sql)
    {
        await using var connection = new NpgsqlConnection(Postgres!.ConnectionString);
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand(sql, connection) { CommandTimeout = 300 };
        return (long)(await command.ExecuteScalarAsync())!;
    }

    /// <summary>What a processor does at its start: an ingress makes no streams.</summary>
    private async Task MakeStreamsAsync()
    {
        var options = new NatsOptions { Servers = [NatsUrl] };
        await using var connection = await JetStreamConnection.ConnectAsync(options, default);
        var log = new JetStreamFrameLog(
            connection,
            new JetStreamFrameLogOptions { LiveBytesMax = 512L * 1024 * 1024, BacklogBytesMax = 128L * 1024 * 1024 },
            InstallationFacts.New(Partitions, Random.Shared));
        for (var partition = 0; partition < Partitions; partition++)
        {
            await log.EnsureStreamsAsync(partition, default);
        }
    }

    private async Task ExecuteAsync(string sql)
    {
        await using var connection = new NpgsqlConnection(Postgres!.ConnectionString);
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand(sql, connection) { CommandTimeout = 300 };
        await command.ExecuteNonQueryAsync();
    }

    private async Task StartCloudAsync(IEnumerable<string> gateways, string? role, string rules)
    {
        if (Postgres is null)
        {
            await MakeStreamsAsync();
        }

        var passwords = _folder.At("passwords");
        File.WriteAllLines(passwords, gateways.Select(gateway => $"{gateway}:{Password}"));
        Write("cloud.json", new
        {
            partitions = Partitions,
            role = role ?? (Postgres is null ? "ingress" : "all"),
            http = new { port = _cloudPort },
            nats = new { servers = NatsUrl },
            // Without a processor nobody makes room in the log, which reserves what it may take at most.
            log = new { liveBytesMax = "512 MiB", backlogBytesMax = "128 MiB" },
            database = Postgres is null ? (object)new { } : new { connection = Postgres.ConnectionString },
            ingress = new { port = MqttPort, gateways = passwords, plainPasswords = true },
            alerts = new { rules },
        });
        await StartCloudAsync();
    }
}
