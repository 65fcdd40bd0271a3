using System.CommandLine;
using System.Globalization;

namespace Telemetry.Cloud.Commands.Certificates;

/// <summary>
/// The verbs <c>certificates ca</c>, <c>server</c>, <c>gateway</c> and <c>renew</c>. Their options stand anywhere after
/// the word <c>certificates</c>.
/// </summary>
internal sealed class CertificatesVerb
{
    private const int AuthorityDays = 3650, SignedDays = 730, DaysMax = 36_500;

    private readonly VerbAction<CertificateArguments> _run;

    private readonly Option<string> _folder = new("--folder")
    {
        HelpName = "FOLDER",
        Description = "Where all of them are; ./certificates unless given.",
        Recursive = true,
    };

    private readonly Option<int?> _days = ParsedOption.Create<int>(
        "--days", "N",
        $"How long it is valid; {AuthorityDays} for an authority and {SignedDays} for what it signs unless given.",
        static text => int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var days)
            && days is >= 1 and <= DaysMax ? days : null,
        $"1 to {DaysMax}");

    private CertificatesVerb(VerbAction<CertificateArguments> run)
    {
        _run = run;
        _days.Recursive = true;
        _folder.Validators.Add(result =>
        {
            if (result.Tokens is [{ Value: "" }])
            {
                result.AddError("--folder: an empty name is not allowed");
            }
        });
    }

    public static Command Create(VerbAction<CertificateArguments> run)
    {
        var verb = new CertificatesVerb(run);
        return new Command(
            "certificates",
            "Makes the certificates of the ingress and its gateways. No file is overwritten; the last version of a "
            + "renewed certificate is kept under another name.")
        {
            verb._folder, verb._days, verb.Authority(), verb.Server(), verb.Gateway(), verb.Renew(),
        };
    }

    private Command Authority()
    {
        var command = new Command("ca", "Makes an authority: ca.pem and ca.key.");
        SetAction(command, static (_, arguments) => arguments, AuthorityDays);
        return command;
    }

    private Command Server()
    {
        var hosts = HostNames.Argument();
        var command = new Command("server", "Signs server.pem for an ingress that is reached by these names.")
        {
            hosts,
        };
        SetAction(command, (result, arguments) =>
        {
            var (names, addresses) = result.GetRequiredValue(hosts);
            return arguments with { Names = names, Addresses = addresses };
        });
        return command;
    }

    private Command Gateway(bool renew = false)
    {
        var gateway = GatewayArgument.Create();
        var command = new Command(
            "gateway",
            renew
                ? "Signs gateways/GATEWAY.pem again: same key, a later end."
                : "Signs gateways/GATEWAY.pem, which is used in place of a password.")
        { gateway };
        SetAction(
            command,
            (result, arguments) => arguments with { Gateway = result.GetRequiredValue(gateway), Renew = renew });
        return command;
    }

    private Command Renew()
    {
        var server = new Command("server", "Signs server.pem again: same key and names, a later end.")
        {
            Refused(
                "renew server takes no names: it keeps those of the certificate. For other names move server.pem and "
                + "server.key away and make them anew"),
        };
        SetAction(server, static (_, arguments) => arguments with { Renew = true });
        var authority = new Command("ca") { Hidden = true };
        authority.Validators.Add(result => result.AddError(
            "an authority cannot be renewed: make another one in a folder of its own, let the agents trust both (one "
            + "file may hold several), then sign the server's certificate by the new one"));
        SetAction(authority, static (_, arguments) => arguments);
        return new Command("renew", "Signs what is there again.") { server, Gateway(renew: true), authority };
    }

    /// <summary>An argument that is an error with a hint.</summary>
    private static Argument<string[]> Refused(string hint)
    {
        var argument = new Argument<string[]>("NAME") { Arity = ArgumentArity.ZeroOrMore, Hidden = true };
        argument.Validators.Add(result =>
        {
            if (result.Tokens.Count > 0)
            {
                result.AddError(hint);
            }
        });
        return argument;
    }

    private void SetAction(
        Command command, Func<ParseResult, CertificateArguments, CertificateArguments> read, int days = SignedDays) =>
        command.SetAction((result, cancellationToken) =>
        {
            var arguments = new CertificateArguments
            {
                Kind = command.Name,
                Days = result.GetValue(_days) ?? days,
                Folder = result.GetValue(_folder) ?? "certificates",
            };
            return _run(read(result, arguments), result, cancellationToken);
        });
}
