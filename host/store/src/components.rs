use rusqlite::{Row, params};
use tiltyard_model::{Digest, Manifest, Nanos, Variant, shown};

use crate::json::{from_text, to_text};
use crate::sql::{all, count, one, require, whole};
use crate::{Batch, Kind, Store, StoreError};

/// A compiled strategy. Its bytes are in a file of their own: [`Store::component_bytes`].
#[derive(Debug, Clone, PartialEq)]
pub struct Component {
    /// SHA-256 of its bytes.
    pub digest: Digest,
    /// The lineage it belongs to: at first the one of its strategy's name.
    pub lineage: String,
    /// What it declares about itself.
    pub manifest: Manifest,
    /// When it was inserted for the first time.
    pub first_seen: Nanos,
    /// Its length in bytes.
    pub size: u64,
    /// Where it came from then: a path, an address, a generator.
    pub origin: String,
}

/// A family of variants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lineage {
    /// Its name.
    pub name: String,
    /// When the first of its components was inserted.
    pub first_seen: Nanos,
}

const COMPONENT: &str = "SELECT digest, lineage, manifest, first_seen, size, origin FROM components";
const VARIANT: &str = "SELECT digest, component, parameters FROM variants";

impl Batch<'_> {
    /// Keeps a component: its bytes in a file, which lasts even if the batch does not, then its row. Returns it as it is
    /// kept; of one that is already there, the first time and origin stay.
    ///
    /// # Errors
    /// [`StoreError::Differs`] if it is kept with another manifest, [`StoreError::File`] if its file cannot be written.
    pub fn insert_component(
        &self,
        bytes: &[u8],
        manifest: &Manifest,
        origin: &str,
        at: Nanos,
    ) -> Result<Component, StoreError> {
        let digest = Digest::of(bytes);
        let text = to_text("the manifest", manifest)?;
        let size = whole("the size", bytes.len() as u64)?;
        self.files.keep(digest, bytes)?;
        self.write(
            "INSERT INTO lineages (name, first_seen) VALUES (?, ?) ON CONFLICT DO NOTHING",
            params![manifest.name, at.0],
        )?;
        self.write(
            "INSERT INTO components (digest, lineage, manifest, first_seen, size, origin) VALUES (?, ?, ?, ?, ?, ?)
             ON CONFLICT DO NOTHING",
            params![digest.0, manifest.name, text, at.0, size, origin],
        )?;
        let kept = one(self.connection, &format!("{COMPONENT} WHERE digest = ?"), [digest.0], component)?;
        let kept = kept.ok_or_else(|| StoreError::Damaged("a row is gone that was just written".to_owned()))?;
        if kept.manifest == *manifest {
            return Ok(kept);
        }
        Err(StoreError::Differs {
            what: Kind::Component,
            name: digest.to_string(),
            figure: "manifest",
            kept: shown(&to_text("the manifest", &kept.manifest)?, 200),
            given: shown(&text, 200),
        })
    }

    /// Keeps a variant. Says whether it is new.
    ///
    /// # Errors
    /// [`StoreError::Unknown`] without its component.
    pub fn insert_variant(&self, variant: &Variant) -> Result<bool, StoreError> {
        let component = variant.component();
        require(
            self.connection,
            Kind::Component,
            component,
            "SELECT 1 FROM components WHERE digest = ?",
            [component.0],
        )?;
        let rows = self.write(
            "INSERT INTO variants (digest, component, parameters) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
            params![variant.digest().0, component.0, to_text("a parameter", variant.parameters())?],
        )?;
        Ok(rows == 1)
    }

    /// Refuses a variant that is not there.
    pub(crate) fn require_variant(&self, variant: Digest) -> Result<(), StoreError> {
        require(self.connection, Kind::Variant, variant, "SELECT 1 FROM variants WHERE digest = ?", [variant.0])
    }
}

impl Store {
    /// The component with this digest.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn component(&self, digest: Digest) -> Result<Option<Component>, StoreError> {
        one(&self.connection, &format!("{COMPONENT} WHERE digest = ?"), [digest.0], component)
    }

    /// All components, in the order in which they came.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn components(&self) -> Result<Vec<Component>, StoreError> {
        all(&self.connection, &format!("{COMPONENT} ORDER BY rowid"), [], component)
    }

    /// The bytes of a component, which are what they were when it was inserted.
    ///
    /// # Errors
    /// [`StoreError::File`] if they are gone, [`StoreError::Tampered`] if they are not what they were.
    pub fn component_bytes(&self, digest: Digest) -> Result<Vec<u8>, StoreError> {
        self.files.read(digest)
    }

    /// All lineages, by name.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn lineages(&self) -> Result<Vec<Lineage>, StoreError> {
        all(&self.connection, "SELECT name, first_seen FROM lineages ORDER BY name", [], |row| {
            Ok(Lineage { name: row.get(0)?, first_seen: Nanos(row.get(1)?) })
        })
    }

    /// The variant with this digest.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn variant(&self, digest: Digest) -> Result<Option<Variant>, StoreError> {
        one(&self.connection, &format!("{VARIANT} WHERE digest = ?"), [digest.0], variant)
    }

    /// The variants of a component, in the order in which they came.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn variants_of(&self, component: Digest) -> Result<Vec<Variant>, StoreError> {
        all(&self.connection, &format!("{VARIANT} WHERE component = ? ORDER BY rowid"), [component.0], variant)
    }
}

fn component(row: &Row<'_>) -> Result<Component, StoreError> {
    Ok(Component {
        digest: Digest(row.get(0)?),
        lineage: row.get(1)?,
        manifest: from_text("a manifest", &row.get::<_, String>(2)?)?,
        first_seen: Nanos(row.get(3)?),
        size: count("a size", row.get(4)?)?,
        origin: row.get(5)?,
    })
}

fn variant(row: &Row<'_>) -> Result<Variant, StoreError> {
    let (digest, component, parameters) = (Digest(row.get(0)?), Digest(row.get(1)?), row.get::<_, String>(2)?);
    let text = format!(r#"{{"component":"{component}","parameters":{parameters}}}"#);
    let variant: Variant = from_text("a variant", &text)?;
    if variant.digest() != digest {
        let why = format!("the variant {digest} has the values of another, {}", variant.digest());
        return Err(StoreError::Unreadable { what: "a variant", why });
    }
    Ok(variant)
}
