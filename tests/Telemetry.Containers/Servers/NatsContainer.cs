using DotNet.Testcontainers.Builders;
using DotNet.Testcontainers.Containers;
using Telemetry.Containers.Engine;
using Telemetry.Containers.Images;
using Telemetry.TestKit.Servers;

namespace Telemetry.Containers.Servers;

/// <summary>
/// nats-server with JetStream in a container, open to all, on a port that stays the same over a kill.
/// </summary>
internal sealed class NatsContainer : IAsyncDisposable
{
    private const int ClientPort = 4222;
    private const string StoreFolder = "/data", StreamsFolder = StoreFolder + "/jetstream/$G/streams";
    private static readonly TimeSpan ReadyWithin = TimeSpan.FromMinutes(1);

    private readonly IContainer _container;

    public NatsContainer() => _container = new ContainerBuilder(ImageNames.Nats)
        .WithCommand("--jetstream", "--store_dir", StoreFolder)
        .WithPortBinding(Port, ClientPort)
        .WithWaitStrategy(Wait.ForUnixContainer().UntilMessageIsLogged("Server is ready"))
        .OfThisRun()
        .Build();

    public int Port { get; } = FreePort.Next();

    public string Url => $"nats://127.0.0.1:{Port}";

    public Task StartAsync() => _container.StartAsync();

    /// <summary>SIGKILL and a new start; what JetStream holds stays.</summary>
    public async Task RestartAsync()
    {
        await _container.KillAsync();
        await _container.StartAgainAsync();
        await Conditions.HoldsAsync(
            "nats-server greets again", ReadyWithin, Probe.Greets(Port, "INFO "));
    }

    /// <summary>
    /// Waits until nothing of deleted streams is on the disk. nats-server 2.10 answers before that, and a stream that
    /// is made again at once has messages of the deleted one (seen in one of ten).
    /// </summary>
    public Task GoneAsync(params IReadOnlyCollection<string> streams) => Conditions.HoldsAsync(
        "deleted streams are off the disk", ReadyWithin,
        async cancellation => !(await _container.ExecAsync(["ls", StreamsFolder], cancellation)).Stdout.Split('\n')
            .Intersect(streams).Any());

    public ValueTask DisposeAsync() => _container.DisposeAsync();
}
