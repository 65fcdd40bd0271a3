using System.CommandLine;
using System.CommandLine.Parsing;
using System.Net;

namespace Telemetry.Cloud.Commands.Certificates;

/// <summary>The names and addresses of a server, as its certificate has them.</summary>
internal sealed record HostNames(IReadOnlyList<string> Names, IReadOnlyList<IPAddress> Addresses)
{
    private const int NameLengthMax = 253, LabelLengthMax = 63;

    /// <summary>The argument <c>NAME...</c>.</summary>
    public static Argument<HostNames> Argument() => new("NAME")
    {
        Description = "The DNS names and IP addresses by which agents reach it.",
        Arity = ArgumentArity.OneOrMore,
        CustomParser = Parse,
    };

    private static HostNames Parse(ArgumentResult result)
    {
        var hosts = new HostNames([], []);
        foreach (var host in result.Tokens.Select(token => token.Value))
        {
            // "10.1" is an address to the parser, but not to whoever reads it.
            if (IPAddress.TryParse(host, out var address) && (host.Contains(':') || host == address.ToString()))
            {
                hosts = hosts with { Addresses = [.. hosts.Addresses, address] };
            }
            else if (IsName(host))
            {
                hosts = hosts with { Names = [.. hosts.Names, host] };
            }
            else
            {
                result.AddError($"'{host}' is not a DNS name or an IP address");
            }
        }

        return hosts;
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
