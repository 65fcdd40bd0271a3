using System.IO.Hashing;
using System.Text;

namespace Telemetry.Alerting.Relay;

/// <summary>Ids that are in the topic, as hashes of 128 bits: bounded, some 40 bytes each.</summary>
internal sealed class PublishedIds(int countMax)
{
    private readonly HashSet<UInt128> _ids = [];

    public int Count => _ids.Count;

    /// <summary>False when it is full.</summary>
    public bool TryAdd(string id) => _ids.Count < countMax ? _ids.Add(Hash(id)) || true : _ids.Contains(Hash(id));

    public bool Contains(string id) => _ids.Count > 0 && _ids.Contains(Hash(id));

    private static UInt128 Hash(string id) => XxHash128.HashToUInt128(Encoding.UTF8.GetBytes(id));
}
