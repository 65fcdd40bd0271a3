using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Telemetry.Model.Identity;

namespace Telemetry.Cloud.Commands.Certificates;

/// <summary>
/// A certificate and its key as two PEM files, <c>NAME.pem</c> and <c>NAME.key</c>. The key's file is for its owner
/// alone (mode 0600). Neither is ever overwritten.
/// </summary>
/// <param name="name">Path of both, without the ending.</param>
internal sealed class CertificateFiles(string name)
{
    private const UnixFileMode OwnerAlone = UnixFileMode.UserRead | UnixFileMode.UserWrite;
    private const UnixFileMode Readable = OwnerAlone | UnixFileMode.GroupRead | UnixFileMode.OtherRead;
    private const int SerialDigits = 8;

    public string Certificate => name + ".pem";

    public string Key => name + ".key";

    public static CertificateFiles Authority(string folder) => new(Path.Combine(folder, "ca"));

    public static CertificateFiles Server(string folder) => new(Path.Combine(folder, "server"));

    // In a folder of their own: a gateway may be called "ca".
    public static CertificateFiles Gateway(string folder, GatewayId gateway) =>
        new(Path.Combine(folder, "gateways", gateway.Value));

    /// <exception cref="CertificateException">The two do not belong together, or the key is not ECDSA.</exception>
    public X509Certificate2 Read()
    {
        try
        {
            var certificate = X509Certificate2.CreateFromPemFile(Certificate, Key);
            using var key = certificate.GetECDsaPrivateKey();
            return key is not null
                ? certificate
                : throw new CertificateException($"{Key}: only ECDSA keys are supported here");
        }
        catch (Exception e) when (e is CryptographicException or ArgumentException)
        {
            throw new CertificateException($"{Certificate}: does not belong to {Key}: {e.Message}", e);
        }
    }

    /// <exception cref="CertificateException">One of the files exists.</exception>
    public void RefuseToOverwrite()
    {
        if (new[] { Certificate, Key }.FirstOrDefault(Path.Exists) is { } taken)
        {
            throw new CertificateException($"{taken}: exists, and is not overwritten");
        }
    }

    /// <summary>Writes both, or none of them.</summary>
    public void Write(X509Certificate2 certificate)
    {
        RefuseToOverwrite();
        if (OperatingSystem.IsWindows())
        {
            throw new PlatformNotSupportedException("keys are protected by the modes of Unix files");
        }

        if (Path.GetDirectoryName(Certificate) is { Length: > 0 } folder)
        {
            Directory.CreateDirectory(folder, OwnerAlone | UnixFileMode.UserExecute);
        }

        using var key = certificate.GetECDsaPrivateKey()!;
        Create(Key, key.ExportPkcs8PrivateKeyPem(), OwnerAlone);
        try
        {
            Create(Certificate, certificate.ExportCertificatePem(), Readable);
        }
        catch
        {
            File.Delete(Key);
            throw;
        }
    }

    /// <summary>
    /// Puts a certificate of the same key in the place of the one that is there, in one step. Returns where the
    /// earlier one is now.
    /// </summary>
    public string Replace(X509Certificate2 before, X509Certificate2 after)
    {
        var kept = $"{name}.{before.SerialNumber[..SerialDigits]}.pem";
        var next = $"{name}.{after.SerialNumber[..SerialDigits]}.pem";
        Create(next, after.ExportCertificatePem(), Readable);
        try
        {
            Create(kept, before.ExportCertificatePem(), Readable);
            File.Move(next, Certificate, overwrite: true);
        }
        catch
        {
            File.Delete(next);
            throw;
        }

        return kept;
    }

    private static void Create(string path, string text, UnixFileMode mode)
    {
        var created = false;
        try
        {
            var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write };
            if (!OperatingSystem.IsWindows())
            {
                options.UnixCreateMode = mode;
            }

            using var file = new FileStream(path, options);
            created = true;
            file.Write(System.Text.Encoding.ASCII.GetBytes(text + "\n"));
            file.Flush(flushToDisk: true);
        }
        catch when (created)
        {
            // Half a file would be in the way of the next try.
            File.Delete(path);
            throw;
        }
    }
}
