using Telemetry.Model.Identity;

namespace Telemetry.Ingress;

/// <summary>
/// Limits the rate of schemas of one gateway in this process: as many as two seconds allow may arrive at once; after
/// that they are delayed to <see cref="IngressOptions.SchemasPerSecond"/>. Registering a schema costs its partition as
/// much as hundreds of readings, and the other gateways of the partition wait for it. What the gateway sends meanwhile
/// is accepted, but acknowledged in order, after the schema. May be used on any thread.
/// </summary>
internal sealed class SchemaPace(IngressOptions options, TimeProvider time)
{
    // Gateways whose delay is over are only forgotten when this many are remembered.
    private const int TrimFrom = 1024;

    private static readonly TimeSpan AtOnce = TimeSpan.FromSeconds(2);

    private readonly Dictionary<GatewayId, long> _earliest = [];
    private readonly Lock _gate = new();
    private readonly long _interval = time.TimestampFrequency / options.SchemasPerSecond;
    private int _trimAt = TrimFrom;

    /// <summary>The gateways that are remembered: those that sent schemas in the last seconds.</summary>
    public int Count
    {
        get
        {
            lock (_gate)
            {
                return _earliest.Count;
            }
        }
    }

    /// <summary>
    /// Counts a schema of a gateway and returns how long it must wait: about <see
    /// cref="IngressOptions.AppendPatience"/> at most, beyond which none is counted. A gateway has too few messages
    /// under way to reach this limit, unless it connects again and again.
    /// </summary>
    public TimeSpan Take(GatewayId gateway)
    {
        lock (_gate)
        {
            var now = time.GetTimestamp();
            var earliest = Math.Max(now, _earliest.GetValueOrDefault(gateway));
            var wait = time.GetElapsedTime(now, earliest) - AtOnce;
            if (wait < options.AppendPatience)
            {
                _earliest[gateway] = earliest + _interval;
            }

            if (_earliest.Count >= _trimAt)
            {
                Trim(now);
            }

            return wait > TimeSpan.Zero ? wait : TimeSpan.Zero;
        }
    }

    private void Trim(long now)
    {
        foreach (var (gateway, earliest) in _earliest)
        {
            if (earliest <= now)
            {
                _earliest.Remove(gateway);
            }
        }

        _trimAt = Math.Max(TrimFrom, 2 * _earliest.Count);
    }
}
