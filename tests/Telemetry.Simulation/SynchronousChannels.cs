using System.Runtime.CompilerServices;
using Telemetry.Runtime;

namespace Telemetry.Simulation;

/// <summary>Channels of this process continue on the thread that writes: the pump's.</summary>
internal static class SynchronousChannels
{
#pragma warning disable CA2255 // It must be set before any channel is made, by whichever test comes first.
    [ModuleInitializer]
    internal static void Set() => Channels.SynchronousContinuations = true;
#pragma warning restore CA2255
}
