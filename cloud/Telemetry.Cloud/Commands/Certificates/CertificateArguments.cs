using System.Globalization;
using System.Net;
using Telemetry.Model.Identity;

namespace Telemetry.Cloud.Commands.Certificates;

/// <summary>What the command <c>certificates</c> was asked for.</summary>
internal sealed record CertificateArguments
{
    public const string Usage = """
        usage: Telemetry.Cloud certificates ca                makes an authority: ca.pem and ca.key
               Telemetry.Cloud certificates server NAME...    signs server.pem for an ingress that is reached by these
                                                              DNS names or IP addresses
               Telemetry.Cloud certificates gateway GATEWAY   signs gateways/GATEWAY.pem, to be used in place of a
                                                              password
               Telemetry.Cloud certificates renew server      signs server.pem again: same key and names, a later end
               Telemetry.Cloud certificates renew gateway GATEWAY
        --folder FOLDER  where all of them are; ./certificates unless given
        --days N         how long it is valid; 3650 for an authority and 730 for what it signs unless given
        No file is overwritten. A renewed certificate's last version is kept under another name.
        """;

    private const int AuthorityDays = 3650, SignedDays = 730, DaysMax = 36_500;
    private const int NameLengthMax = 253, LabelLengthMax = 63;

    /// <summary><c>ca</c>, <c>server</c> or <c>gateway</c>: what is made, or renewed.</summary>
    public string Kind { get; private init; } = "";

    /// <summary>True: what is there is signed again.</summary>
    public bool Renew { get; private init; }

    /// <summary>DNS names of the server.</summary>
    public IReadOnlyList<string> Names { get; private init; } = [];

    /// <summary>Addresses of the server.</summary>
    public IReadOnlyList<IPAddress> Addresses { get; private init; } = [];

    /// <summary>Whose certificate it is, where <see cref="Kind"/> is <c>gateway</c>.</summary>
    public GatewayId Gateway { get; private init; }

    public string Folder { get; private init; } = "certificates";

    /// <summary>For how long it is valid.</summary>
    public int Days { get; private init; }

    /// <summary>Reads them; says what is wrong, or null.</summary>
    public static string? Read(ReadOnlySpan<string> words, out CertificateArguments arguments)
    {
        arguments = new CertificateArguments();
        var operands = new List<string>();
        for (var i = 0; i < words.Length; i++)
        {
            if (!words[i].StartsWith('-'))
            {
                operands.Add(words[i]);
            }
            else if (i + 1 == words.Length)
            {
                return $"{words[i]} needs a value";
            }
            else if (arguments.Option(words[i], words[++i], out arguments) is { } wrong)
            {
                return wrong;
            }
        }

        var renew = operands is ["renew", ..];
        arguments = arguments with
        {
            Renew = renew,
            Days = arguments.Days > 0 ? arguments.Days : operands is ["ca", ..] ? AuthorityDays : SignedDays,
        };
        return arguments.Operands(renew ? operands[1..] : operands, out arguments);
    }

    private string? Option(string option, string value, out CertificateArguments arguments)
    {
        arguments = this;
        switch (option)
        {
            case "--folder" when value.Length > 0:
                arguments = this with { Folder = value };
                return null;
            case "--days" when int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out var days)
                && days is >= 1 and <= DaysMax:
                arguments = this with { Days = days };
                return null;
            case "--folder":
                return "--folder: an empty name is not allowed";
            case "--days":
                return $"--days: '{value}' is not a number of 1 to {DaysMax}";
            default:
                return $"{option} is not an option of certificates";
        }
    }

    private string? Operands(List<string> operands, out CertificateArguments arguments)
    {
        arguments = this with { Kind = operands.Count > 0 ? operands[0] : "" };
        switch (operands)
        {
            case ["ca"] when !Renew:
            case ["server"] when Renew:
                return null;
            case ["ca", ..] when Renew:
                return "an authority cannot be renewed: make another one in a folder of its own, let the agents trust "
                    + "both (one file may hold several), then sign the server's certificate by the new one";
            case ["ca", ..]:
                return "ca takes no names";
            case ["server"]:
                return "server needs the names or addresses by which agents reach it";
            case ["server", ..] when Renew:
                return "renew server takes no names: it keeps those of the certificate. For other names move "
                    + "server.pem and server.key away and make them anew";
            case ["server", .. var names]:
                return arguments.Hosts(names, out arguments);
            case ["gateway", var gateway]:
                arguments = arguments with { Gateway = GatewayId.TryParse(gateway, out var id) ? id : default };
                return arguments.Gateway == default
                    ? $"'{gateway}' cannot be a gateway's id: 1 to {GatewayId.LengthMax} characters of A-Z a-z 0-9 _ -"
                    : null;
            case ["gateway", ..]:
                return "gateway needs the id of one gateway";
            default:
                return Renew ? "renew needs server or gateway" : "ca, server, gateway or renew is needed";
        }
    }

    private string? Hosts(List<string> hosts, out CertificateArguments arguments)
    {
        var addresses = new List<IPAddress>();
        var names = new List<string>();
        arguments = this with { Addresses = addresses, Names = names };
        foreach (var host in hosts)
        {
            // "10.1" is an address to the parser, but not to whoever reads it.
            if (IPAddress.TryParse(host, out var address) && (host.Contains(':') || host == address.ToString()))
            {
                addresses.Add(address);
            }
            else if (IsName(host))
            {
                names.Add(host);
            }
            else
            {
                return $"'{host}' is not a DNS name or an IP address";
            }
        }

        return null;
    }

    // The last part of a name always has a letter: what has none is an address with a mistake in it.
    private static bool IsName(string host)
    {
        var labels = host.Split('.');
        return host.Length <= NameLengthMax && labels[^1].Any(char.IsAsciiLetter) && labels.All(label =>
            label.Length is > 0 and <= LabelLengthMax && label[0] != '-' && label[^1] != '-'
            && label.All(c => char.IsAsciiLetterOrDigit(c) || c == '-'));
    }
}
