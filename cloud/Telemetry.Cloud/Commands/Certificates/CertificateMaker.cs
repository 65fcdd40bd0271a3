using System.Globalization;
using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Telemetry.Model.Identity;

namespace Telemetry.Cloud.Commands.Certificates;

/// <summary>
/// Makes the certificates of an installation: its authority, and what that signs. Keys are ECDSA on P-256. It touches
/// no file. Callers dispose what they get.
/// </summary>
internal sealed class CertificateMaker(TimeProvider time)
{
    private const int SerialBytes = 16;
    private const string ServerPurpose = "1.3.6.1.5.5.7.3.1", ClientPurpose = "1.3.6.1.5.5.7.3.2";

    // A common name with a space is not a gateway's id, so such a certificate is never taken for a gateway's. Clients
    // look at the alternative names alone.
    private const string ServerName = "Telemetry ingress";

    // The clocks of gateways may be behind.
    private static readonly TimeSpan ValidBefore = TimeSpan.FromDays(1);

    /// <summary>An authority: it signs certificates of servers and gateways, and no further authorities.</summary>
    public X509Certificate2 Authority(int days)
    {
        var now = time.GetUtcNow();
        using var key = NewKey();
        var request = Request(string.Create(CultureInfo.InvariantCulture, $"Telemetry CA {now:yyyy-MM-dd}"), key);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(
            certificateAuthority: true, hasPathLengthConstraint: true, pathLengthConstraint: 0, critical: true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(
            X509KeyUsageFlags.KeyCertSign | X509KeyUsageFlags.CrlSign, critical: true));
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, critical: false));
        return request.CreateSelfSigned(now - ValidBefore, now.AddDays(days));
    }

    /// <summary>A server's certificate for these DNS names and addresses.</summary>
    /// <exception cref="CertificateException">The authority is not valid now.</exception>
    public X509Certificate2 Server(
        X509Certificate2 authority, IEnumerable<string> names, IEnumerable<IPAddress> addresses, int days)
    {
        var alternatives = new SubjectAlternativeNameBuilder();
        foreach (var name in names)
        {
            alternatives.AddDnsName(name);
        }

        foreach (var address in addresses)
        {
            alternatives.AddIpAddress(address);
        }

        using var key = NewKey();
        return Sign(
            authority,
            Request(ServerName, key, [alternatives.Build(), .. Extensions(authority, key, ServerPurpose)]),
            key,
            days);
    }

    /// <summary>A gateway's certificate: its common name is the gateway's id.</summary>
    /// <exception cref="CertificateException">The authority is not valid now.</exception>
    public X509Certificate2 Gateway(X509Certificate2 authority, GatewayId gateway, int days)
    {
        using var key = NewKey();
        return Sign(
            authority, Request(gateway.Value, key, Extensions(authority, key, ClientPurpose)), key, days);
    }

    /// <summary>The same certificate with another serial number and another end.</summary>
    /// <exception cref="CertificateException">Another authority signed it, or this one is not valid now.</exception>
    public X509Certificate2 Renewed(X509Certificate2 authority, X509Certificate2 certificate, int days)
    {
        if (!IsSignedBy(authority, certificate))
        {
            throw new CertificateException("it was signed by another authority, so this one does not renew it");
        }

        using var key = certificate.GetECDsaPrivateKey()!;
        var name = certificate.GetNameInfo(X509NameType.SimpleName, forIssuer: false);
        return Sign(authority, Request(name, key, certificate.Extensions), key, days);
    }

    private static ECDsa NewKey() => ECDsa.Create(ECCurve.NamedCurves.nistP256);

    private static CertificateRequest Request(
        string commonName, ECDsa key, IEnumerable<X509Extension>? extensions = null)
    {
        var subject = new X500DistinguishedNameBuilder();
        subject.AddCommonName(commonName);
        var request = new CertificateRequest(subject.Build(), key, HashAlgorithmName.SHA256);
        foreach (var extension in extensions ?? [])
        {
            request.CertificateExtensions.Add(extension);
        }

        return request;
    }

    private static X509Extension[] Extensions(X509Certificate2 authority, ECDsa key, string purpose) =>
    [
        new X509BasicConstraintsExtension(
            certificateAuthority: false, hasPathLengthConstraint: false, pathLengthConstraint: 0, critical: true),
        new X509KeyUsageExtension(X509KeyUsageFlags.DigitalSignature, critical: true),
        new X509EnhancedKeyUsageExtension([new Oid(purpose)], critical: false),
        new X509SubjectKeyIdentifierExtension(new PublicKey(key), critical: false),
        X509AuthorityKeyIdentifierExtension.CreateFromCertificate(
            authority, includeKeyIdentifier: true, includeIssuerAndSerial: false),
    ];

    // Its end does not matter: one that has ended is renewed too.
    private static bool IsSignedBy(X509Certificate2 authority, X509Certificate2 certificate)
    {
        using var chain = new X509Chain();
        chain.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
        chain.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        chain.ChainPolicy.CustomTrustStore.Add(authority);
        chain.ChainPolicy.DisableCertificateDownloads = true;
        chain.ChainPolicy.VerificationFlags = X509VerificationFlags.IgnoreNotTimeValid;
        return chain.Build(certificate);
    }

    private X509Certificate2 Sign(X509Certificate2 authority, CertificateRequest request, ECDsa key, int days)
    {
        var now = time.GetUtcNow();
        DateTimeOffset first = authority.NotBefore.ToUniversalTime(), last = authority.NotAfter.ToUniversalTime();
        if (now < first || now > last)
        {
            throw new CertificateException(string.Create(
                CultureInfo.InvariantCulture,
                $"the authority is valid from {first:yyyy-MM-dd} to {last:yyyy-MM-dd}, and today is {now:yyyy-MM-dd}"));
        }

        // What outlives its authority is worth nothing.
        var begin = now - ValidBefore < first ? first : now - ValidBefore;
        var end = now.AddDays(days) > last ? last : now.AddDays(days);
        using var signed = request.Create(authority, begin, end, NewSerial());
        return signed.CopyWithPrivateKey(key);
    }

    // Positive, and of the same length always: its first digits tell two versions of a certificate apart.
    private static byte[] NewSerial()
    {
        var serial = RandomNumberGenerator.GetBytes(SerialBytes);
        serial[0] = (byte)(serial[0] & 0x3F | 0x40);
        return serial;
    }
}
