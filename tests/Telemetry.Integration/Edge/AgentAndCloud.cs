using Microsoft.Extensions.Logging.Abstractions;
using Telemetry.Ingress;
using Telemetry.Ingress.Access;
using Telemetry.Ingress.Sessions;
using Telemetry.Integration.Storage;
using Telemetry.Model.Frames;
using Telemetry.Model.Identity;
using Telemetry.Model.Protocol;
using Telemetry.Model.Wire;
using Telemetry.MqttSessions;
using Telemetry.Processing;
using Telemetry.Runtime;
using Telemetry.Streams;
using Telemetry.Streams.JetStream;
using Telemetry.SystemTests.Cluster;
using Telemetry.TestKit.Checking;
using Telemetry.TestKit.Contracts;
using Telemetry.TestKit.Servers;

namespace Telemetry.Integration.Edge;

/// <summary>
/// Ingress and processor between a nats-server and a PostgreSQL of the test's own, for agents to drain to; one
/// partition.
/// </summary>
internal sealed class AgentAndCloud : IAsyncDisposable
{
    public const string Password = "one";
    public static readonly GatewayId Gateway = GatewayId.Parse("gw-1");

    private readonly NatsServer _nats;
    private readonly PostgresServer _postgres;
    private readonly PostgresDatabase _database;
    private readonly JetStreamConnection _connection;
    private readonly JetStreamFrameLog _log;
    private readonly MqttIngress _ingress;
    private readonly EventLoop _loop = new("processor");
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _processing;

    private AgentAndCloud(
        NatsServer nats, PostgresServer postgres, PostgresDatabase database, JetStreamConnection connection,
        Func<IControlChannel, IControlChannel> owners)
    {
        (_nats, _postgres, _database, _connection) = (nats, postgres, database, connection);
        _log = new JetStreamFrameLog(connection, new JetStreamFrameLogOptions(), SampleInstallation.Of(1));
        var (control, counters) = (new NatsControlChannel(connection, SampleInstallation.Of(1)), new IngressCounters());
        var passwords = GatewayPasswords.Read([$"{Gateway}:{Password}"], plain: true);
        _ingress = new MqttIngress(
            new MqttListenerOptions { Port = 0, Limits = new MqttSessionLimits { PacketBytesMax = 320 * 1024 } },
            new IngressCore(_log, control, new IngressOptions { Partitions = 1 }, TimeProvider.System, counters),
            new GatewayGate(new PasswordHandler(
                () => passwords, new PasswordOptions(), counters, TimeProvider.System, NullLogger.Instance)),
            counters,
            TimeSpan.FromSeconds(2),
            TimeProvider.System,
            NullLogger.Instance);
        var processor = new Processor(
            database.Store, _log, owners(control), new ProcessorOptions { Partitions = 1 }, TimeProvider.System,
            new Random(1),
            NullLogger.Instance);
        _processing = _loop.RunAsync(() => processor.RunAsync(_stop.Token));
    }

    public int MqttPort => _ingress.Port;

    /// <summary>Starts it; <paramref name="owners"/> makes the owner's control channel of the real one.</summary>
    public static async Task<AgentAndCloud> Start(Func<IControlChannel, IControlChannel>? owners = null)
    {
        var nats = await NatsServer.Start();
        var postgres = await PostgresServer.Start(null);
        var database = await PostgresDatabase.Create(postgres.ConnectionString);
        var connection = await JetStreamConnection.ConnectAsync(new NatsOptions { Servers = [nats.Url] });
        var stand = new AgentAndCloud(nats, postgres, database, connection, owners ?? (control => control));
        await stand._log.EnsureStreamsAsync(0, default);
        await stand._ingress.StartAsync(default);
        return stand;
    }

    /// <summary>
    /// Waits until the agent's inputs have ended, it holds nothing, and the books have all that it accepted.
    /// </summary>
    public async Task<DrainedGateway> UntilDrained(AgentRun agent)
    {
        BooksRow? books = null;
        var status = await agent.Until(async status =>
        {
            books = (await BooksRow.ReadAsync(_database.ConnectionString, default)).GetValueOrDefault($"{Gateway}");
            return status is { InputsEnded: true, AtTheEdge: 0 }
                && books?.Accepted == status.Accepted && books.Settled == status.Accepted;
        });
        return new(status.FramesRefused, status.Fork, books!);
    }

    /// <summary>What journal and SQL say.</summary>
    public Task<BooksVerdict> Judge(OlderOutbox outbox) =>
        new BooksChecker(_database.ConnectionString, [outbox.JournalPath]).CheckAsync(drained: true, default);

    /// <summary>The frames that the database has, by name and checksum.</summary>
    public async Task<string[]> RegisteredFrames() =>
        (await _database.Row("SELECT string_agg(concat_ws('|', epoch, lane, first, count, checksum), ' ') FROM "
            + "telemetry.frame_register"))
        .Split(' ');

    /// <summary>One row of the database, its columns joined as text.</summary>
    public Task<string> Row(string sql) => _database.Row(sql);

    /// <summary>The versions of the frames of readings that stand in the log, and how many of each.</summary>
    public async Task<SortedDictionary<int, int>> FrameVersions()
    {
        var versions = new SortedDictionary<int, int>();
        foreach (var stream in Enum.GetValues<StreamKind>())
        {
            var state = await _log.StateAsync(0, stream, default);
            for (var sequence = state!.Value.First; sequence <= state.Value.Last; sequence++)
            {
                var message = await _log.ReadAsync(0, stream, sequence, default);
                FrameEnvelope.Read(message!.Data.Span, out var offset);
                var frame = message.Data[offset..];
                if (FrameReader.TryKind(frame.Span, out var kind) && kind == FrameKind.Readings)
                {
                    var version = FrameReader.Header(frame.Span, out _).Version;
                    versions[version] = versions.GetValueOrDefault(version) + 1;
                }
            }
        }

        return versions;
    }

    public async ValueTask DisposeAsync()
    {
        await _ingress.DisposeAsync();
        await _stop.CancelAsync();
        await _processing;
        _loop.Dispose();
        await _database.DisposeAsync();
        await _connection.DisposeAsync();
        await _nats.DisposeAsync();
        await _postgres.DisposeAsync();
        _stop.Dispose();
    }
}

/// <summary>How an agent that holds nothing any more, and the books of its gateway, stand.</summary>
internal sealed record DrainedGateway(long FramesRefused, string Fork, BooksRow Books);
