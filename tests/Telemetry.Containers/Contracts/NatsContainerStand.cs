using Telemetry.Containers.Servers;
using Telemetry.Model.Installations;
using Telemetry.Model.Protocol;
using Telemetry.Streams;
using Telemetry.Streams.JetStream;
using Telemetry.TestKit.Contracts;

namespace Telemetry.Containers.Contracts;

/// <summary>
/// The frame log and the control channel on the nats-server in the container, which is emptied for each test.
/// </summary>
internal sealed class NatsContainerStand : FrameLogStand
{
    private const int Partition = 3;

    private static readonly InstallationFacts Facts = SampleInstallation.Of(16);

    private readonly NatsContainer _server;
    private readonly JetStreamConnection _connection;
    private readonly JetStreamFrameLog _log;

    private NatsContainerStand(NatsContainer server, JetStreamConnection connection, FrameLogStandOptions options)
    {
        _server = server;
        _connection = connection;
        _log = new JetStreamFrameLog(
            connection,
            new JetStreamFrameLogOptions
            {
                LiveBytesMax = options.LiveBytesMax,
                DuplicateWindow = options.DuplicateWindow,
            },
            Facts);
    }

    public override IFrameLog Log => _log;

    public override TimeProvider Time => TimeProvider.System;

    public static async Task<NatsContainerStand> StartAsync(
        NatsContainer server, FrameLogStandOptions? options = null, bool makeStreams = true)
    {
        var connection = await ConnectAsync(server);
        var stand = new NatsContainerStand(server, connection, options ?? FrameLogStandOptions.Ordinary);
        try
        {
            await stand.EmptyAsync();
            if (makeStreams)
            {
                await stand.Log.EnsureStreamsAsync(Partition, default);
            }

            return stand;
        }
        catch
        {
            await stand.DisposeAsync();
            throw;
        }
    }

    /// <summary>Runs a test on the control channel alone.</summary>
    public static async Task WithChannelAsync(NatsContainer server, Func<ControlChannelStand, Task> test)
    {
        await using var ingress = await ConnectAsync(server);
        await using var owner = await ConnectAsync(server);
        var (atIngress, atOwner) = (new NatsControlChannel(ingress, Facts), new NatsControlChannel(owner, Facts));
        await test(new ControlChannelStand(atIngress, atOwner, TimeProvider.System)
        {
            Stranger = new NatsControlChannel(owner, SampleInstallation.Of(8)),
        });
    }

    public override IFrameLog As(InstallationFacts facts) => _log.As(facts);

    public override Task ForgetInstallationAsync() => DeleteAsync(StreamMarker.Stream);

    public override Task WipeAsync(int partition) => DeleteAsync(
        StreamNames.Stream(partition, StreamKind.Live), StreamNames.Stream(partition, StreamKind.Backlog));

    public override Task BreakLinkAsync() => _server.RestartAsync();

    public override ValueTask DisposeAsync() => _connection.DisposeAsync();

    private static Task<JetStreamConnection> ConnectAsync(NatsContainer server) =>
        JetStreamConnection.ConnectAsync(new NatsOptions { Servers = [server.Url] });

    private async Task EmptyAsync()
    {
        var names = new List<string>();
        await foreach (var name in _connection.Context.ListStreamNamesAsync())
        {
            names.Add(name);
        }

        await DeleteAsync([.. names]);
    }

    private async Task DeleteAsync(params string[] streams)
    {
        foreach (var stream in streams)
        {
            Assert.True(await _connection.Context.DeleteStreamAsync(stream));
        }

        await _server.GoneAsync(streams);
    }
}
