namespace Telemetry.Dashboard.Live;

/// <summary>The state of a gateway in one word, the worst first.</summary>
public enum GatewayState : byte
{
    /// <summary>Two lives of one gateway were seen, and no operator has explained it.</summary>
    Fork = 0,

    /// <summary>It is not connected.</summary>
    Offline = 1,

    /// <summary>It is connected, and its data is not complete up to now.</summary>
    Draining = 2,

    /// <summary>It is connected, and its data is complete up to a moment ago.</summary>
    Fresh = 3,
}

/// <summary>Decides the state of a gateway.</summary>
public static class GatewayStates
{
    /// <summary>
    /// A gateway is fresh while its watermark is not older. Longer than the longest seal deadline of an agent (60 s)
    /// and its heartbeat (30 s) together.
    /// </summary>
    public const long FreshMicros = 120 * 1_000_000L;

    /// <summary>One of which no ingress says anything is offline after so long without a commit.</summary>
    public const long SilentMicros = 5 * 60 * 1_000_000L;

    /// <summary>The states' names in JSON, by number.</summary>
    public static readonly string[] Names = ["fork", "offline", "draining", "fresh"];

    /// <summary>Returns the state; times are microseconds, <see cref="long.MinValue"/> for none.</summary>
    public static GatewayState Of(
        bool fork, bool? connected, long watermarkMicros, long changedMicros, long nowMicros)
    {
        if (fork)
        {
            return GatewayState.Fork;
        }

        var isHere = connected ?? (changedMicros != long.MinValue && nowMicros - changedMicros <= SilentMicros);
        return !isHere ? GatewayState.Offline
            : watermarkMicros == long.MinValue || nowMicros - watermarkMicros > FreshMicros ? GatewayState.Draining
            : GatewayState.Fresh;
    }
}
