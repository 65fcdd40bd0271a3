using System.Buffers.Binary;
using System.Net;

namespace Telemetry.Ingress.Access;

/// <summary>
/// Who counts as one sender when attempts are limited: a network address (of IPv6 the first 64 bits, which belong to
/// one site) together with a gateway of the file. All names that are not in the file count as one sender of their
/// address. So a gateway behind an attacker's address is limited only by attempts under its own name.
/// </summary>
/// <param name="Network">The address' bits.</param>
/// <param name="Gateway">The gateway's id; empty for all names that are not in the file.</param>
internal readonly record struct PasswordSender(UInt128 Network, string Gateway)
{
    private const int Ipv6SiteBits = 64;

    public static PasswordSender Of(EndPoint? remote, string gateway)
    {
        var address = (remote as IPEndPoint)?.Address.MapToIPv6() ?? IPAddress.IPv6None;
        Span<byte> bytes = stackalloc byte[16];
        address.TryWriteBytes(bytes, out _);
        if (!address.IsIPv4MappedToIPv6)
        {
            bytes[(Ipv6SiteBits / 8)..].Clear();
        }

        return new(BinaryPrimitives.ReadUInt128BigEndian(bytes), gateway);
    }

    /// <summary>The sender as text, for log lines.</summary>
    public override string ToString()
    {
        Span<byte> bytes = stackalloc byte[16];
        BinaryPrimitives.WriteUInt128BigEndian(bytes, Network);
        var address = new IPAddress(bytes);
        var network = address.IsIPv4MappedToIPv6 ? $"{address.MapToIPv4()}" : $"{address}/{Ipv6SiteBits}";
        return Gateway.Length > 0 ? $"gateway {Gateway} from {network}" : $"unknown gateways from {network}";
    }
}
