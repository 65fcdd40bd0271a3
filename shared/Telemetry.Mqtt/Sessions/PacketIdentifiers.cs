namespace Telemetry.Mqtt.Sessions;

/// <summary>Packet identifiers in use by us. Source: MQTT 5.0, 2.2.1.</summary>
internal sealed class PacketIdentifiers
{
    private readonly HashSet<ushort> _used = [];
    private ushort _last;

    public bool AreExhausted => _used.Count >= ushort.MaxValue;

    public ushort Take()
    {
        if (AreExhausted) throw new InvalidOperationException("all packet identifiers are in use");
        do
        {
            if (++_last == 0) _last = 1;
        }
        while (!_used.Add(_last));
        return _last;
    }

    public void Release(ushort id) => _used.Remove(id);
}
