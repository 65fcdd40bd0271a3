using System.Threading.Channels;

namespace Telemetry.Runtime;

/// <summary>
/// The one place where channels are made, so that a simulation can let continuations run synchronously on its single
/// thread (ordinary asynchronous code then replays identically by seed).
/// </summary>
public static class Channels
{
    /// <summary>
    /// True only inside the simulation: continuations run on the writer's thread. Set it before any channel is made.
    /// </summary>
    public static bool SynchronousContinuations { get; set; }

    /// <summary>A bounded channel. At its capacity <c>WriteAsync</c> waits and <c>TryWrite</c> returns false.</summary>
    public static Channel<T> Bounded<T>(int capacity, bool singleReader = true, bool singleWriter = false) =>
        Channel.CreateBounded<T>(new BoundedChannelOptions(capacity)
        {
            AllowSynchronousContinuations = SynchronousContinuations,
            SingleReader = singleReader,
            SingleWriter = singleWriter,
            FullMode = BoundedChannelFullMode.Wait,
        });
}
