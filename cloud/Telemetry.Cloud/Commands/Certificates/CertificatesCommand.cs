using System.Globalization;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Telemetry.Cloud.Commands.Certificates;

/// <summary>
/// The command <c>certificates</c>: makes the installation's authority, and signs by it certificates of the ingress and
/// of gateways. It needs no configuration and no server. The exit code is 0 when it was done, 1 when it could not be.
/// </summary>
internal sealed class CertificatesCommand(TimeProvider time, TextWriter output, TextWriter errors)
{
    private const int GoneWrong = 1;

    private readonly CertificateMaker _maker = new(time);

    public int Run(CertificateArguments arguments)
    {
        try
        {
            Make(arguments);
            return 0;
        }
        catch (Exception e)
            when (e is CertificateException or IOException or UnauthorizedAccessException or CryptographicException)
        {
            errors.WriteLine(e.Message);
            return GoneWrong;
        }
    }

    private void Make(CertificateArguments arguments)
    {
        var folder = arguments.Folder;
        if (arguments.Kind == "ca")
        {
            var files = CertificateFiles.Authority(folder);
            files.RefuseToOverwrite();
            using var made = _maker.Authority(arguments.Days);
            files.Write(made);
            Say(files, made);
            output.WriteLine(
                $"{files.Key}: with this key anybody can pretend to be any ingress or gateway; do not keep it on "
                + "their machines");
            return;
        }

        var authorityFiles = CertificateFiles.Authority(folder);
        if (!File.Exists(authorityFiles.Certificate))
        {
            throw new CertificateException(
                $"{authorityFiles.Certificate}: is missing; make the authority first: certificates ca --folder "
                + folder);
        }

        using var authority = authorityFiles.Read();
        var own = arguments.Kind == "server"
            ? CertificateFiles.Server(folder) : CertificateFiles.Gateway(folder, arguments.Gateway);
        if (arguments.Renew)
        {
            Renew(authority, own, arguments.Days);
        }
        else
        {
            own.RefuseToOverwrite();
            using var signed = arguments.Kind == "server"
                ? _maker.Server(authority, arguments.Names, arguments.Addresses, arguments.Days)
                : _maker.Gateway(authority, arguments.Gateway, arguments.Days);
            own.Write(signed);
            Say(own, signed);
        }
    }

    private void Renew(X509Certificate2 authority, CertificateFiles files, int days)
    {
        using var before = files.Read();
        X509Certificate2 after;
        try
        {
            after = _maker.Renewed(authority, before, days);
        }
        catch (CertificateException e)
        {
            throw new CertificateException($"{files.Certificate}: {e.Message}", e);
        }

        using (after)
        {
            var kept = files.Replace(before, after);
            Say(files, after);
            output.WriteLine($"{kept}: the one before it");
        }
    }

    private void Say(CertificateFiles files, X509Certificate2 certificate)
    {
        var names = certificate.Extensions.OfType<X509SubjectAlternativeNameExtension>().SingleOrDefault();
        var hosts = names is null ? "" : ", for " + string.Join(
            ", ", names.EnumerateDnsNames().Concat(names.EnumerateIPAddresses().Select(address => $"{address}")));
        output.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"{files.Certificate}: {certificate.Subject}{hosts}, valid until "
            + $"{certificate.NotAfter.ToUniversalTime():yyyy-MM-dd}"));
    }
}
