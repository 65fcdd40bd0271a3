using System.Threading.Channels;
using Microsoft.Extensions.Logging;
using Telemetry.Model.Identity;
using Telemetry.Model.Protocol;
using Telemetry.Model.Wire;
using Telemetry.Processing.Partitions;
using Telemetry.Runtime;

namespace Telemetry.Processing.Hellos;

/// <summary>A hello that waits for the next transaction.</summary>
internal readonly record struct HelloArrived(int Partition, GatewayId Gateway, Hello Hello);

/// <summary>
/// A queue of hellos between the control channel, on whose thread they arrive, and the processor's thread. When it is
/// full, hellos are dropped, and agents repeat them.
/// </summary>
internal sealed class HelloQueue(ProcessorOptions options, TimeProvider time, ILogger logger, Signal signal)
{
    /// <summary>Hellos that arrive within this time are taken into one transaction.</summary>
    private static readonly TimeSpan Gather = TimeSpan.FromMilliseconds(10);

    private readonly Channel<HelloArrived> _hellos = Channels.Bounded<HelloArrived>(options.HellosMax);

    /// <summary>Adds a hello from the control channel, on any thread.</summary>
    public void Arrived(int partition, GatewayId gateway, ReadOnlyMemory<byte> bytes)
    {
        try
        {
            _hellos.Writer.TryWrite(new HelloArrived(partition, gateway, Hello.Read(bytes.Span)));
        }
        catch (WireFormatException e)
        {
            ProcessingLog.HelloMalformed(logger, gateway.Value, e.Message);
        }
    }

    /// <summary>Sets the signal while hellos wait; runs on the processor's thread until cancelled.</summary>
    public async Task WatchAsync(CancellationToken cancellationToken)
    {
        try
        {
            while (await _hellos.Reader.WaitToReadAsync(cancellationToken))
            {
                signal.Set();
                await Task.Delay(Gather, time, cancellationToken);
            }
        }
        catch (OperationCanceledException)
        {
            // The processor is stopping.
        }
    }

    /// <summary>Takes the hellos that wait for partitions owned here.</summary>
    public IReadOnlyList<(PartitionOwner Owner, HelloArrived Arrived)> Take(OwnedPartitions owned)
    {
        var taken = new List<(PartitionOwner, HelloArrived)>();
        while (taken.Count < options.HellosMax && _hellos.Reader.TryRead(out var arrived))
        {
            if (owned.TryGet(arrived.Partition, out var owner)
                && arrived.Gateway.Partition(options.Partitions) == arrived.Partition)
            {
                taken.Add((owner, arrived));
            }
        }

        return taken;
    }
}
