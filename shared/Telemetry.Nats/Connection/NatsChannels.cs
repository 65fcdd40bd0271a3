using System.Threading.Channels;

namespace Telemetry.Nats;

/// <summary>The one place where this client makes channels, so that a simulation can run them on one thread.</summary>
internal static class NatsChannels
{
    /// <summary>Bounded; a writer that finds it full is told so by TryWrite and decides what is lost.</summary>
    public static Channel<T> Bounded<T>(int capacity, bool allowSynchronousContinuations) =>
        Channel.CreateBounded<T>(new BoundedChannelOptions(capacity)
        {
            FullMode = BoundedChannelFullMode.Wait,
            SingleReader = false,
            SingleWriter = true,
            AllowSynchronousContinuations = allowSynchronousContinuations,
        });
}
